#pragma once

#include "sys/fd.h"

namespace stack::build {

/// By content, as ADD tells archives from other files: tar, gzip, bzip2, xz, zstd.
[[nodiscard]] bool is_archive(const sys::Fd& file);

}  // namespace stack::build
