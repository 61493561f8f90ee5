#include "sys/tree_walk.h"

#include "sys/tree.h"

#include <fcntl.h>

namespace stack::sys {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr std::size_t most_open = 32;

Fd reopen(const Fd& directory, const char* name) {
    return Fd(check(::openat(directory.get(), name, directory_flags),
                    std::string("open the directory ") + name));
}

bool is_no_directory(int error) {
    return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

}  // namespace

// --- Descent

Descent::Descent(const Fd& top) {
    add(reopen(top, "."));
}

void Descent::add(Fd directory) {
    check(::fstat(directory.get(), &status_), "stat a directory");
    levels_.push_back({std::move(directory), status_.st_dev, status_.st_ino});
    if (levels_.size() > most_open)
        levels_[levels_.size() - 1 - most_open].directory.reset();
}

bool Descent::try_enter(const std::string& name) {
    Fd directory(::openat(here().get(), name.c_str(), directory_flags));
    if (!directory && is_no_directory(errno))
        return false;
    check(directory.get(), "open the directory " + name);
    add(std::move(directory));
    return true;
}

void Descent::enter(const std::string& name) {
    add(reopen(here(), name.c_str()));
}

void Descent::leave() {
    Level below = std::move(levels_.back());
    levels_.pop_back();
    Level& level = levels_.back();
    if (!level.directory)
        level.directory = reopen(below.directory, "..");
    check(::fstat(level.directory.get(), &status_), "stat a directory");
    if (status_.st_dev != level.device || status_.st_ino != level.inode)
        fail("go up from a directory, which was moved meanwhile", EXDEV);
}

// --- TreeWalk

TreeWalk::TreeWalk(const Fd& top) : descent_(top) {
    levels_.push_back({});
}

const std::vector<std::string>& TreeWalk::names() {
    auto& names = levels_.back().names;
    if (!names)
        names = names_left_in(here());
    return *names;
}

std::optional<std::string> TreeWalk::next() {
    const auto& all = names();
    std::size_t& next = levels_.back().next;
    if (next == all.size())
        return std::nullopt;
    return all[next++];
}

bool TreeWalk::try_enter(const std::string& name) {
    if (!descent_.try_enter(name))
        return false;
    levels_.push_back({name});
    return true;
}

void TreeWalk::enter(const std::string& name) {
    descent_.enter(name);
    levels_.push_back({name});
}

std::string TreeWalk::leave() {
    std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    descent_.leave();
    return name;
}

}  // namespace stack::sys
