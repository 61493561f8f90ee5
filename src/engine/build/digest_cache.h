#pragma once

// Digests of file contents, kept in a file from build to build.
//
// A file is known by its path and identity (source_file.h). One that changed within the last second
// before it was read is not remembered, for its next change might not show. Of what never changes,
// layers, a file is known by its path alone.
//
// The file is records of one size, in the order of a listing, and then their paths: a build of many
// files reads it in one piece and goes along it.

#include "engine/build/source_file.h"

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

/// From several threads at once.
class DigestCache {
  public:
    enum class Content { changes, stays };

    /// Reads what was kept under `path`; anything unreadable is as if it were not there.
    explicit DigestCache(std::string path, Content content = Content::changes);

    /// How many files it knows.
    [[nodiscard]] std::size_t size() const { return count_; }

    /// Gives regular files that are as they were their digests. They are found fastest in the order
    /// of a listing.
    void fill(std::vector<SourceFile>& files);
    /// `since`: when its content began to be read.
    void put(const SourceFile& file, std::time_t since);
    /// Writes the file, where something was put; its time is that of the last use.
    void save();

  private:
    struct Record;

    struct Known {
        FileIdentity identity;
        std::string digest;
    };

    [[nodiscard]] FileIdentity known_as(const struct stat& status) const;
    [[nodiscard]] Record record(std::size_t index) const;
    [[nodiscard]] std::string_view path_of(const Record& record) const;
    [[nodiscard]] std::optional<std::size_t> find(std::string_view path, std::size_t first) const;
    [[nodiscard]] std::string merged() const;

    struct WalkOrder {
        using is_transparent = void;

        bool operator()(std::string_view a, std::string_view b) const { return comes_before(a, b); }
    };

    std::string path_;
    Content content_;
    std::string text_;       // of the file
    std::size_t count_ = 0;  // of records
    std::mutex mutex_;
    std::vector<bool> seen_;  // by record: this build looked at it
    std::map<std::string, Known, WalkOrder> added_;
};

}  // namespace stack::build
