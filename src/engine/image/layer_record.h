#pragma once

// What is known of an unpacked layer: <images>/layers/<hex of diffID>/layer.json.

#include <stack/model.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stack::image {

/// A layer as it travels.
struct PackedLayer {
    std::string media_type;
    std::string digest;
    std::int64_t size = 0;
};

/// What a layer's tar leaves to the layers below it (inherited.h).
struct Unsaid {
    Strings directories;  // that it has without an entry of their own; `.` is the root
    std::vector<std::pair<std::string, std::string>> links;  // name -> file that it does not have

    bool operator==(const Unsaid&) const = default;
};

struct LayerRecord {
    std::int64_t size = 0;  // sum of file sizes, bytes
    std::optional<PackedLayer> packed;
    Unsaid unsaid{};
};

/// <root>/layers/<hex>. Throws stack::Error where `diff_id` is no digest.
[[nodiscard]] std::string layer_path(const std::string& root, const std::string& diff_id);

/// Empty where there is none.
[[nodiscard]] LayerRecord read_layer(const std::string& root, const std::string& diff_id);

[[nodiscard]] std::string layer_json(const LayerRecord& record);

}  // namespace stack::image
