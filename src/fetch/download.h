#pragma once

// One file from the web, for ADD and for build contexts.

#include "fetch/settings.h"
#include "sys/fd.h"

#include <cstdint>
#include <string>

namespace stack::fetch {

struct DownloadRequest {
    std::string url;  // http or https
    /// The Last-Modified of what the caller has, in seconds since 1970; 0: it has nothing.
    std::int64_t since = 0;
};

/// What download() returns where nothing is newer than `since`; the target is empty then.
inline constexpr const char* unchanged = "unchanged";

/// Writes what is at the URL to `target`, an empty file, which gets the time of Last-Modified (the
/// epoch where there is none). Returns "sha256:<digest>". Throws stack::Error.
[[nodiscard]] std::string download(const DownloadRequest& request,
                                   const RegistrySettings& settings,
                                   const sys::Fd& target);

}  // namespace stack::fetch
