#include "engine/build/source_walk.h"

#include <stack/error.h>

#include <algorithm>
#include <utility>

#include <fcntl.h>

namespace stack::build {
namespace {

constexpr std::size_t most_files = 2'000'000;
constexpr int deepest_directory = 256;
constexpr std::size_t files_of_a_job = 256;

}  // namespace

std::vector<SourceFile> SourceWalk::run(sys::Fd directory, const std::string& path) {
    below_ = path.empty() ? 0 : path.size() + 1;
    SourceFile top{path, below_};
    sys::check(::fstat(directory.get(), &top.status), "stat a directory");
    files_.push_back(std::move(top));
    visit(std::move(directory), 0);
    take(jobs_.finish());
    return std::move(files_);
}

/// `self`: its place in the listing.
void SourceWalk::visit(sys::Fd directory, std::size_t self) {
    const std::string path = files_[self].path;
    if (++depth_ > deepest_directory)
        throw Error("`" + path + "` is more than 256 directories deep");
    const std::string_view below = std::string_view(path).substr(std::min(below_, path.size()));
    const bool excluded = !below.empty() && excludes_.excludes(below);
    if (!excluded || excludes_.may_include_below(below)) {
        const auto fd = std::make_shared<const sys::Fd>(std::move(directory));
        const std::string prefix = path.empty() ? path : path + "/";
        StatJob job{path, fd};
        for (auto& entry : sys::entries_in(*fd)) {
            SourceFile file{prefix + entry.name, below_};
            visit_entry(fd, entry, std::move(file), job);
            if (job.files.size() == files_of_a_job)
                give(job);
        }
        give(job);
    }
    // An excluded directory is there only for what is in it.
    const bool ignored = !path.empty() && ignored_.excludes(path);
    if ((ignored || excluded) && files_.size() == self + 1)
        files_.pop_back();
    --depth_;
}

void SourceWalk::visit_entry(const std::shared_ptr<const sys::Fd>& directory,
                             sys::DirectoryEntry& entry,
                             SourceFile file,
                             StatJob& job) {
    if (files_.size() > most_files)
        throw Error("more than 2 million files are to be copied: exclude some in .dockerignore");
    if (entry.type == 0) {
        if (::fstatat(directory->get(), entry.name.c_str(), &file.status, AT_SYMLINK_NOFOLLOW) < 0)
            sys::fail("stat " + file.path);
        entry.type = file.status.st_mode & S_IFMT;
    }
    if (entry.type == S_IFDIR)
        return visit_directory(*directory, entry.name, std::move(file));
    if (entry.type == S_IFSOCK || ignored_.excludes(file.path) || excludes_.excludes(file.name()))
        return;
    job.files.push_back({files_.size(), std::move(entry.name), entry.type});
    files_.push_back(std::move(file));
}

void SourceWalk::visit_directory(const sys::Fd& parent, const std::string& name, SourceFile file) {
    if (ignored_.excludes(file.path) && !ignored_.may_include_below(file.path))
        return;
    sys::Fd directory(
        ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory || ::fstat(directory.get(), &file.status) < 0)
        sys::fail("open " + file.path);
    files_.push_back(std::move(file));
    visit(std::move(directory), files_.size() - 1);
}

void SourceWalk::give(StatJob& job) {
    if (job.files.empty())
        return;
    StatJob next{job.path, job.directory};
    take(jobs_.give(std::exchange(job, std::move(next))));
}

void SourceWalk::take(std::vector<StatJob> done) {
    for (auto& job : done)
        for (auto& file : job.files) {
            files_[file.place].status = file.status;
            files_[file.place].link = std::move(file.link);
        }
}

}  // namespace stack::build
