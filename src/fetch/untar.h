#pragma once

// A tar stream to a directory. libarchive reads; tree_writer.h writes.

#include "fetch/layer.h"
#include "fetch/tree_writer.h"
#include "sys/fd.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stack::fetch {

/// The next piece of the stream, valid until the next call; empty at its end.
using NextPiece = std::function<std::string_view()>;

/// What was made of a tar.
struct Untarred {
    std::int64_t size = 0;  // sum of file sizes
    image::Unsaid unsaid;   // of a layer
};

/// What the stream may be packed with. Where it is, its digest is nobody's.
enum class Filters { none, bzip2_and_xz };

/// Unpacks the whole stream (also what follows the end-of-archive mark is read). What it becomes
/// keeps to the limit.
Untarred untar(const NextPiece& next,
               const sys::Fd& root,
               const WriteRules& rules,
               const UnpackLimit& limit = {},
               Filters filters = Filters::none);

/// Whether the stream, packed as untar() takes it, begins with the header of a tar's entry.
[[nodiscard]] bool begins_as_tar(const NextPiece& next);

}  // namespace stack::fetch
