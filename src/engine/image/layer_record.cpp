#include "engine/image/layer_record.h"

#include <stack/error.h>

#include "base/digest.h"
#include "sys/file.h"

#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

}  // namespace

std::string layer_path(const std::string& root, const std::string& diff_id) {
    if (!is_digest(diff_id))
        throw Error("\"" + diff_id + "\" is not a digest");
    return root + "/layers/" + diff_id.substr(diff_id.find(':') + 1);
}

LayerRecord read_layer(const std::string& root, const std::string& diff_id) {
    LayerRecord record;
    const auto text = sys::read_file(layer_path(root, diff_id) + "/layer.json");
    const Json json = Json::parse(text.value_or(""), nullptr, false);
    if (!json.is_object())
        return record;
    record.size = json.value("size", std::int64_t{0});
    if (const auto packed = json.find("packed"); packed != json.end() && packed->is_object())
        record.packed = {packed->value("mediaType", ""),
                         packed->value("digest", ""),
                         packed->value("size", std::int64_t{0})};
    record.unsaid.directories = json.value("impliedDirectories", Strings());
    record.unsaid.links = json.value("linksBelow", decltype(record.unsaid.links)());
    return record;
}

std::string layer_json(const LayerRecord& record) {
    Json json = {{"size", record.size}};
    if (record.packed)
        json["packed"] = {{"mediaType", record.packed->media_type},
                          {"digest", record.packed->digest},
                          {"size", record.packed->size}};
    if (!record.unsaid.directories.empty())
        json["impliedDirectories"] = record.unsaid.directories;
    if (!record.unsaid.links.empty())
        json["linksBelow"] = record.unsaid.links;
    return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace stack::image
