#pragma once

// Images out of the store, for other programs and other machines.

#include <stack/model.h>
#include <stack/paths.h>

#include "sys/fd.h"

#include <string>

namespace stack::fetch {

/// Writes images (names or ids) to `target`, as what both `docker load` and readers of OCI layouts
/// take: an OCI layout with a manifest.json. To a file, as a tar; to a directory, beside what is
/// there. `name` is what the image, one, is called there; "": as here. Returns the id of the last
/// image.
std::string save(const Paths& paths,
                 const Strings& references,
                 const std::string& name,
                 const sys::Fd& target);

/// Reads every byte of these images again: blobs against their digests, unpacked layers against
/// their tar. Throws where one is damaged, when all have been read. Returns the last one's id.
std::string verify(const Paths& paths, const Strings& references);

}  // namespace stack::fetch
