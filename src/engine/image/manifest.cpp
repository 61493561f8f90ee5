#include "engine/image/manifest.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "engine/image/document.h"
#include "model/platform.h"

#include <algorithm>
#include <array>
#include <limits>

#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

constexpr const char* attestation_key = "vnd.docker.reference.type";

/// The names that mean something here. Readers that do not tell upper case from lower would see
/// `Layers` as `layers` (CVE-2021-41190): an object with both means two things.
constexpr std::array<std::string_view, 9> names{"schemaVersion",
                                                "mediaType",
                                                "manifests",
                                                "layers",
                                                "config",
                                                "digest",
                                                "size",
                                                "platform",
                                                "annotations"};

void refuse_other_spellings(const Json& object) {
    for (const auto& [key, value] : object.items())
        for (const auto name : names)
            if (key != name && to_lower(key) == to_lower(name))
                throw Error("the manifest has the key " + Json(key).dump(-1, ' ', true) +
                            ", which some read as \"" + std::string(name) +
                            "\": what it means cannot be said");
}

/// nullptr where there is none; null is none, too.
const Json* member(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text(const Json& object, const char* key) {
    const Json* value = member(object, key);
    if (value == nullptr)
        return {};
    if (!value->is_string())
        throw Error(std::string("\"") + key + "\" of the manifest is no text");
    return value->get<std::string>();
}

/// nullopt where it is no integer, or one that is no size.
std::optional<std::int64_t> size_in(const Json& object) {
    const Json* value = member(object, "size");
    if (value == nullptr || !value->is_number_integer())
        return std::nullopt;
    if (value->is_number_unsigned() &&
        value->get<std::uint64_t>() >
            static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return std::nullopt;
    const auto size = value->get<std::int64_t>();
    return size < 0 ? std::nullopt : std::optional(size);
}

Descriptor descriptor(const Json& json, const std::string& what) {
    if (!json.is_object())
        throw Error("the manifest describes " + what + " by something that is no object");
    refuse_other_spellings(json);
    Descriptor one;
    one.media_type = text(json, "mediaType");
    one.digest = text(json, "digest");
    const auto size = size_in(json);
    if (!is_digest(one.digest) || !size)
        throw Error("the manifest describes " + what + " without a usable digest and size");
    one.size = *size;
    if (const Json* platform = member(json, "platform"); platform && platform->is_object()) {
        one.os = text(*platform, "os");
        one.architecture = text(*platform, "architecture");
        one.variant = text(*platform, "variant");
    }
    if (const Json* annotations = member(json, "annotations");
        annotations && annotations->is_object())
        for (const auto& [key, value] : annotations->items())
            if (value.is_string())
                one.annotations[key] = value.get<std::string>();
    return one;
}

std::vector<Descriptor> descriptors(const Json& json, const char* key, const std::string& what) {
    std::vector<Descriptor> list;
    const Json* array = member(json, key);
    if (array == nullptr)
        return list;
    if (!array->is_array())
        throw Error(std::string("\"") + key + "\" of the manifest is no list");
    for (const auto& one : *array)
        list.push_back(descriptor(one, what));
    return list;
}

/// The variant that one without any is.
std::string usual_variant(const std::string& architecture) {
    if (architecture == "amd64")
        return "v1";
    return architecture == "arm64" ? "v8" : "v7";
}

}  // namespace

Manifest parse_manifest(std::string_view json_text) {
    const Json json = parse_document(json_text, "the manifest");
    if (!json.is_object())
        throw Error("the manifest is not a JSON object");
    refuse_other_spellings(json);
    if (const Json* version = member(json, "schemaVersion"); version == nullptr || *version != 2)
        throw Error(
            "the manifest is of schema 1, which registries no longer write: push the image again");
    Manifest manifest;
    manifest.media_type = text(json, "mediaType");
    manifest.is_index = json.contains("manifests");
    if (manifest.is_index && (json.contains("layers") || json.contains("config")))
        throw Error("the manifest claims to be an index and an image at once (CVE-2021-41190)");
    manifest.entries = descriptors(json, "manifests", "an image");
    if (manifest.is_index)
        return manifest;
    const Json* config = member(json, "config");
    if (config == nullptr)
        throw Error("the manifest names no configuration");
    manifest.config = descriptor(*config, "the configuration");
    manifest.layers = descriptors(json, "layers", "a layer");
    return manifest;
}

Strings parse_diff_ids(std::string_view config_json) {
    const Json config = parse_document(config_json, "the configuration of the image");
    if (!config.is_object())
        throw Error("the configuration of the image is not a JSON object");
    Strings list;
    const Json* rootfs = member(config, "rootfs");
    const Json* diff_ids =
        rootfs != nullptr && rootfs->is_object() ? member(*rootfs, "diff_ids") : nullptr;
    if (diff_ids == nullptr)
        return list;
    if (!diff_ids->is_array())
        throw Error("the diff_ids of the image's configuration are no list");
    for (const auto& one : *diff_ids) {
        if (!one.is_string() || !is_digest(one.get_ref<const std::string&>()))
            throw Error("the image's configuration has the diff_id " + one.dump(-1, ' ', true) +
                        ", which is no digest");
        list.push_back(one.get<std::string>());
    }
    return list;
}

void check_layer_count(std::size_t layers, std::size_t diff_ids) {
    constexpr std::size_t most_layers = 500;  // what overlayfs takes
    if (layers > most_layers)
        throw Error("the image has " + std::to_string(layers) + " layers: more than " +
                    std::to_string(most_layers) + " cannot be mounted");
    if (diff_ids != layers)
        throw Error("the image has " + std::to_string(layers) + " layers and " +
                    std::to_string(diff_ids) +
                    " diff_ids: one of manifest and configuration is wrong");
}

std::string this_platform() {
    return "linux/amd64";
}

bool is_attestation(const Descriptor& entry) {
    return entry.os == "unknown" || entry.annotations.contains(attestation_key);
}

const Descriptor* choose_platform(const std::vector<Descriptor>& entries,
                                  const std::string& platform) {
    const auto wanted = split(platform.empty() ? this_platform() : platform, '/');
    const std::string architecture =
        model::architecture_of(wanted.size() > 1 ? wanted[1] : wanted[0]);
    const std::string variant = wanted.size() > 2 ? wanted[2] : "";
    const Descriptor* similar = nullptr;
    const Descriptor* silent = nullptr;
    for (const auto& entry : entries) {
        if (is_attestation(entry))
            continue;
        if (entry.architecture.empty() && silent == nullptr)
            silent = &entry;
        if (model::architecture_of(entry.architecture) != architecture ||
            (!entry.os.empty() && entry.os != "linux"))
            continue;
        const std::string usual = usual_variant(architecture);
        const std::string its = entry.variant.empty() ? usual : entry.variant;
        if (its == (variant.empty() ? usual : variant))
            return &entry;
        if (similar == nullptr && (variant.empty() || entry.variant.empty()))
            similar = &entry;
    }
    return similar != nullptr ? similar : silent;
}

}  // namespace stack::image
