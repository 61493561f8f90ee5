#pragma once

// The images that a directory holds: an OCI image layout, or what an archive of `docker save` was
// unpacked to. They are described here, and taken by import.h.

#include <stack/model.h>

#include "sys/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::fetch {

struct ArchivedLayer {
    std::string file;        // inside the directory
    std::string diff_id;     // a digest
    std::string digest;      // of the file; empty: nobody says
    std::int64_t size = -1;  // of the file; -1: nobody says
};

struct ArchivedImage {
    std::string config;  // its JSON
    std::vector<ArchivedLayer> layers;
    std::optional<std::string> manifest;  // nullopt: it has none
    std::string manifest_type;
    Strings names;  // as the archive has them
};

/// Those of an OCI image layout, for this machine: of each name one, and whatever has none. With
/// `name`, that one alone: `NAME:TAG`, or the tag by itself. Throws stack::Error where there are
/// none, or one is not as it should be.
[[nodiscard]] std::vector<ArchivedImage> images_of_layout(const sys::Fd& directory,
                                                          const std::string& name);

/// The same of an archive by its manifest.json; of one that has none, as of a layout.
[[nodiscard]] std::vector<ArchivedImage> images_of_archive(const sys::Fd& directory,
                                                           const std::string& name);

/// One image of an archive's manifest.json.
struct DockerEntry {
    std::string config;  // files inside the archive
    Strings layers;
    Strings tags;
};

/// Reads a manifest.json. Throws stack::Error where it is none.
[[nodiscard]] std::vector<DockerEntry> parse_docker_manifest(std::string_view json);

}  // namespace stack::fetch
