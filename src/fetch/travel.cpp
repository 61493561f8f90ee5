#include "fetch/travel.h"

#include <stack/error.h>

#include "engine/image/layer_writer.h"
#include "fetch/packing_file.h"
#include "sys/file.h"

#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

constexpr const char* manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* config_type = "application/vnd.oci.image.config.v1+json";
constexpr const char* layer_type = "application/vnd.oci.image.layer.v1.tar";

bool is_there(const image::Store& store, const image::PackedLayer& packed) {
    return sys::file_size(store.blob_path(packed.digest)) == packed.size;
}

image::PackedLayer pack(image::Store& store, const std::string& diff_id) {
    const sys::ScratchDirectory scratch = store.scratch();
    PackingFile packing(scratch.path() + "/packed");
    const auto summary = image::write_layer(sys::open_directory(store.layer_directory(diff_id)),
                                            [&](std::string_view bytes) { packing.feed(bytes); });
    const Packed packed = packing.finish();
    if (summary.diff_id != diff_id)
        throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                    "layer " + diff_id +
                        " cannot be packed to what it was: its packed bytes are not here, and its "
                        "files give " +
                        summary.diff_id + "; pull or build the image again");
    store.keep_packed(diff_id, packed.layer, packed.file);
    return packed.layer;
}

/// The type by which OCI knows a layer that Docker's type, or a file's first bytes, described.
std::string oci_type(const std::string& type) {
    if (type.find("zstd") != std::string::npos)
        return std::string(layer_type) + "+zstd";
    return type.find("gzip") == std::string::npos ? layer_type : std::string(layer_type) + "+gzip";
}

image::PackedLayer descriptor(const Json& json) {
    return {
        json.value("mediaType", ""), json.value("digest", ""), json.value("size", std::int64_t{0})};
}

Json json_of(const image::PackedLayer& blob) {
    return {{"mediaType", blob.media_type}, {"digest", blob.digest}, {"size", blob.size}};
}

}  // namespace

Travel prepare(image::Store& store, const image::Image& image) {
    store.hold(image.layers);
    const Json own = Json::parse(image.manifest);
    const Json layers = own.value("layers", Json::array());
    Travel travel{image.manifest, image.manifest_type, descriptor(own.at("config")), {}};
    bool changed = false;
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
        auto layer = i < layers.size() ? descriptor(layers[i]) : image::PackedLayer();
        if (layer.size == 0 || !is_there(store, layer)) {
            const auto known = store.layer(image.layers[i]).packed;
            layer = known && is_there(store, *known) ? *known : pack(store, image.layers[i]);
            layer.media_type = oci_type(layer.media_type);
            changed = true;
        }
        travel.layers.push_back(std::move(layer));
    }
    if (!changed)
        return travel;
    travel.manifest_type = manifest_type;
    travel.config.media_type = config_type;
    Json list = Json::array();
    for (auto& layer : travel.layers) {
        layer.media_type = oci_type(layer.media_type);
        list.push_back(json_of(layer));
    }
    Json manifest{{"schemaVersion", 2},
                  {"mediaType", manifest_type},
                  {"config", json_of(travel.config)},
                  {"layers", list}};
    if (const auto said = own.find("annotations"); said != own.end())
        manifest["annotations"] = *said;
    travel.manifest = manifest.dump();
    return travel;
}

}  // namespace stack::fetch
