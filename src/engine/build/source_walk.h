#pragma once

// One listing of a source tree: a directory and all below it that no rule takes out.

#include "engine/build/ignore.h"
#include "engine/build/source_file.h"
#include "engine/build/stat_jobs.h"
#include "sys/directory.h"
#include "sys/fd.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

class SourceWalk {
  public:
    /// What `ignored` excludes does not exist; `excludes` are matched against the paths below
    /// the directory. About `expected` files will come.
    SourceWalk(const IgnoreRules& ignored, const IgnoreRules& excludes, std::size_t expected)
        : ignored_(ignored), excludes_(excludes) {
        files_.reserve(expected);
    }

    /// The directory at `path`, open, and what is in it; in order (source_file.h).
    [[nodiscard]] std::vector<SourceFile> run(sys::Fd directory, const std::string& path);

  private:
    void visit(sys::Fd directory, std::size_t self);
    void visit_entry(const std::shared_ptr<const sys::Fd>& directory,
                     sys::DirectoryEntry& entry,
                     SourceFile file,
                     StatJob& job);
    void visit_directory(const sys::Fd& parent, const std::string& name, SourceFile file);
    void give(StatJob& job);
    void take(std::vector<StatJob> done);

    const IgnoreRules& ignored_;
    const IgnoreRules& excludes_;
    std::size_t below_ = 0;  // as SourceFile has it
    std::vector<SourceFile> files_;
    int depth_ = 0;
    StatJobs jobs_;
};

}  // namespace stack::build
