#pragma once

#include "sys/fd.h"

namespace stack::build {

/// By its first bytes: a tar, or something packed (gzip, bzip2, xz, zstd), which may be one.
[[nodiscard]] bool may_be_archive(const sys::Fd& file);

}  // namespace stack::build
