#pragma once

// What builds keep to be faster the next time, beside the layers of their steps.
//
//   <state>/build/mounts/<sha256 of the id>        what is in a cache mount; beside it
//     <sha256 of the id>.id                        the id; its time is that of the last use
//     <sha256 of the id>.lock                      held by steps that have it mounted
//   <state>/build/new-mounts                       cache mounts that are being made, or removed
//   <state>/build/context-cache/<sha256 of the directory>   digests of a context's files
//   <state>/build/downloads                        downloads.h

#include <stack/paths.h>

#include "sys/lock.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stack::build {

struct Kept {
    enum class Kind { cache_mount, context_digests, download };
    Kind kind = Kind::cache_mount;
    std::string name;  // of its file
    std::string id;    // for people
    std::int64_t bytes = 0;
    std::int64_t used = 0;  // seconds since 1970
};

[[nodiscard]] const char* to_text(Kept::Kind kind);

[[nodiscard]] std::vector<Kept> list_kept(const Paths& paths);

/// Postcondition: it is gone, unless a step has it mounted. Returns the bytes freed.
[[nodiscard]] std::int64_t forget(const Paths& paths, const Kept& kept);

/// A cache mount in use: nobody takes it away meanwhile.
class CacheMount {
  public:
    enum class Use { shared, alone_or_not, alone };  // each stricter; the second does not wait

    /// nullopt where somebody else uses it and `use` is not to wait.
    [[nodiscard]] static std::optional<CacheMount> open(const Paths& paths,
                                                        const std::string& id,
                                                        Use use);

    [[nodiscard]] const std::string& directory() const { return directory_; }

    /// Postcondition: directory() is there; where it was not, as `fill` made it: whole, and once.
    void ensure(const std::function<void(const std::string& directory)>& fill) const;

  private:
    CacheMount(std::string directory, sys::Lock lock)
        : directory_(std::move(directory)), lock_(std::move(lock)) {}

    std::string directory_;
    sys::Lock lock_;
};

}  // namespace stack::build
