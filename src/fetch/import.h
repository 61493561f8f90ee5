#pragma once

#include <stack/paths.h>

#include "model/image.h"

#include <string>

namespace stack::fetch {

/// Takes an image from `source` (kinds: image/fetch.h) into the store; returns its id.
std::string import_image(const Paths& paths,
                         const std::string& source,
                         const std::string& reference,
                         const ImageConfig& config);

/// Unpacks the archive on descriptor `archive`, packed or not, into the directory on descriptor
/// `directory`.
void unpack(int archive, int directory);

}  // namespace stack::fetch
