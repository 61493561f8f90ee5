#pragma once

// An image of the store as it goes to a registry or into an archive: its manifest, and a file for
// every blob.

#include "engine/image/store.h"

#include <string>
#include <vector>

namespace stack::fetch {

struct Travel {
    std::string manifest;  // exact bytes
    std::string manifest_type;
    image::PackedLayer config;
    std::vector<image::PackedLayer> layers;  // base first
};

/// Postcondition: every blob of the result is in the store (Store::blob_path()). What an image was
/// pulled with stays as it was, byte by byte; layers that were never packed are packed now, once.
[[nodiscard]] Travel prepare(image::Store& store, const image::Image& image);

}  // namespace stack::fetch
