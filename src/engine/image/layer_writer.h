#pragma once

// The upper directory of an overlay as a layer: its tar stream (tar_writer.h), whose SHA-256 is the
// layer's name (diffID).

#include "engine/image/tar_writer.h"
#include "sys/fd.h"

#include <cstdint>
#include <string>

namespace stack::image {

struct LayerSummary {
    std::string diff_id;    // sha256:…
    std::int64_t size = 0;  // sum of file sizes, bytes
    bool empty = true;      // nothing but the root directory
};

/// Writes the tar stream of an overlay's upper directory to `sink`.
LayerSummary write_layer(const sys::Fd& upper, const ByteSink& sink);
/// Its name and size alone.
[[nodiscard]] LayerSummary summarize_layer(const sys::Fd& upper);

/// Postcondition: nothing below `upper` carries attributes of the overlay it was part of, but for
/// opaque directories. Sockets are gone, too: a tar cannot hold them.
void clean_upper(const sys::Fd& upper);

}  // namespace stack::image
