#pragma once

#include <stack/paths.h>

#include "engine/image/fetch.h"
#include "fetch/layer.h"
#include "fetch/tree_writer.h"
#include "fetch/untar.h"
#include "sys/fd.h"

#include <string>

namespace stack::fetch {

/// Takes the images of an archive or a layout into the store, or one that is made of files; returns
/// their ids, one a line.
std::string import_image(const Paths& paths,
                         const image::ImportRequest& request,
                         const UnpackLimit& limit);

/// The file or directory that an import of `source` reads.
[[nodiscard]] std::string source_path(const std::string& source);

/// Whether it is an archive that unpack() takes, by its first entry.
[[nodiscard]] bool is_archive(const sys::Fd& file);

/// Unpacks an archive, packed or not, into a directory. What grows without measure is refused.
Untarred unpack(const sys::Fd& archive,
                const sys::Fd& directory,
                const WriteRules& rules,
                const UnpackLimit& limit = {});
/// The same for a layer, whose whiteouts are meant as such.
void unpack_layer(const sys::Fd& archive, const sys::Fd& directory);

}  // namespace stack::fetch
