#include "sys/scratch_directory.h"

#include "base/random.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <utility>

#include <fcntl.h>
#include <sys/file.h>

namespace stack::sys {
namespace {

/// A lock that needs no file: flock(2) takes a directory too.
bool try_lock(const Fd& directory) {
    return ::flock(directory.get(), LOCK_EX | LOCK_NB) == 0;
}

Fd lock(const std::string& path) {
    Fd directory = open_directory(path);
    check(::flock(directory.get(), LOCK_EX), "lock " + path);
    return directory;
}

void remove(const std::string& path, const ScratchDirectory::Bury& bury) {
    if (bury)
        bury(file_name(path));
    remove_tree(path);
}

/// The caller holds `parent` locked: between its making and its lock, a directory looks dead.
void remove_dead(const std::string& parent, const ScratchDirectory::Bury& bury) {
    for (const auto& name : list_directory(parent)) {
        const std::string path = parent + "/" + name;
        // Its maker may take it away, or give it its place, at any moment.
        const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (directory && try_lock(directory))
            remove(path, bury);
    }
}

}  // namespace

ScratchDirectory::ScratchDirectory(const std::string& parent, Bury bury) : bury_(std::move(bury)) {
    constexpr std::size_t digits = 32;
    ensure_directory(parent, 0700);
    const Fd all = lock(parent);
    remove_dead(parent, bury_);
    path_ = parent + "/" + random_hex(digits);
    ensure_directory(path_, 0700);
    lock_ = lock(path_);
}

void ScratchDirectory::sweep(const std::string& parent, const Bury& bury) {
    if (list_directory(parent).empty())
        return;
    const Fd all = lock(parent);
    remove_dead(parent, bury);
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : bury_(std::move(other.bury_)),
      path_(std::exchange(other.path_, {})),
      lock_(std::move(other.lock_)) {}

ScratchDirectory::~ScratchDirectory() {
    if (path_.empty())
        return;
    try {
        remove(path_, bury_);
    } catch (const std::exception&) {
        // The next maker tries again.
    }
}

std::string ScratchDirectory::name() const {
    return file_name(path_);
}

bool ScratchDirectory::move_to(const std::string& place) {
    if (!try_rename(path_, place))
        return false;
    path_.clear();
    lock_.reset();
    return true;
}

}  // namespace stack::sys
