#pragma once

// The value of RUN --mount.

#include <stack/model.h>

#include "base/expected.h"

#include <optional>
#include <string>
#include <string_view>

namespace stack::build {

enum class RunMountType { bind, cache, tmpfs, secret, ssh };
enum class CacheSharing { shared, exclusive, locked };  // `private` is a word of C++

struct RunMount {
    RunMountType type = RunMountType::bind;
    std::string from;
    std::string source;
    std::string target;
    std::string id;
    CacheSharing sharing = CacheSharing::shared;
    bool read_only = false;
    bool required = false;
    std::optional<std::string> environment;  // secret: the variable that holds it
    std::optional<Bytes> size;
    std::optional<std::uint32_t> mode;
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;

    bool operator==(const RunMount&) const = default;
};

/// `type=cache,target=/root/.cache,…`, a line of comma-separated values in which quotes protect
/// commas.
[[nodiscard]] Expected<RunMount> parse_run_mount(std::string_view text);

/// The stage or image that a mount comes from, without parsing the rest, which may hold variables.
[[nodiscard]] std::string run_mount_source(std::string_view text);

}  // namespace stack::build
