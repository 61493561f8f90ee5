#pragma once

// Manifests of images and indexes of manifests (OCI image-spec manifest.md and image-index.md,
// Docker's schema 2) as values. Others wrote them: what is not as it should be is refused here, for
// whoever reads one, and nothing of it is used before.

#include <stack/model.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::image {

/// A manifest, configuration or layer, by its content.
struct Descriptor {
    std::string media_type;
    std::string digest;     // a digest indeed
    std::int64_t size = 0;  // not negative
    std::string os;         // of an index's entries; empty: it does not say
    std::string architecture;
    std::string variant;
    StringMap annotations;

    bool operator==(const Descriptor&) const = default;
};

struct Manifest {
    std::string media_type;  // what it says itself; empty: nothing
    bool is_index = false;
    std::vector<Descriptor> entries;   // of an index
    std::optional<Descriptor> config;  // of an image: it is there
    std::vector<Descriptor> layers;    // base first
};

/// Reads the JSON of either. Throws stack::Error, naming what is wrong.
[[nodiscard]] Manifest parse_manifest(std::string_view json);

/// The layers' diffIDs, base first, of a configuration's JSON. Throws stack::Error where it has
/// none that could be used.
[[nodiscard]] Strings parse_diff_ids(std::string_view config_json);

/// Throws stack::Error, with its place, where a string of a configuration that containers go by has
/// a NUL byte in it: cut there or left out, it would be another user, or another command.
void check_config(const std::string& config_json);

/// The layers of an image, which its manifest and its configuration (`diff_ids`) describe, each in
/// its way. Throws stack::Error where they disagree on how many there are, or where these are more
/// than can be mounted.
void check_layer_count(std::size_t layers, std::size_t diff_ids);

/// linux/<the architecture of this machine>.
[[nodiscard]] std::string this_platform();

/// Which of these entries is for `platform` ("" is this machine's): one that says so before one
/// that says nothing, which may be an index itself. nullptr where there is none. Attestations are
/// passed over.
[[nodiscard]] const Descriptor* choose_platform(const std::vector<Descriptor>& entries,
                                                const std::string& platform);

/// Whether it says something about an image, and is none.
[[nodiscard]] bool is_attestation(const Descriptor& entry);

}  // namespace stack::image
