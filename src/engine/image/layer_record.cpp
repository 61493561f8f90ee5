#include "engine/image/layer_record.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "sys/file.h"

#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

/// The name of a file is bytes: where they are no UTF-8, JSON has them as numbers.
Json json_of(const std::string& name) {
    if (find_invalid_utf8(name) == std::string::npos)
        return name;
    Json bytes = Json::array();
    for (const char byte : name)
        bytes.push_back(static_cast<unsigned char>(byte));
    return bytes;
}

std::string name_in(const Json& json) {
    if (json.is_string())
        return json.get<std::string>();
    std::string name;
    for (const auto& byte : json)
        name += static_cast<char>(byte.get<unsigned char>());
    return name;
}

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
    for (const auto& name : json.value("impliedDirectories", Json::array()))
        record.unsaid.directories.push_back(name_in(name));
    for (const auto& link : json.value("linksBelow", Json::array()))
        record.unsaid.links.emplace_back(name_in(link.at(0)), name_in(link.at(1)));
    return record;
}

std::string layer_json(const LayerRecord& record) {
    Json json = {{"size", record.size}};
    if (record.packed)
        json["packed"] = {{"mediaType", record.packed->media_type},
                          {"digest", record.packed->digest},
                          {"size", record.packed->size}};
    if (!record.unsaid.directories.empty())
        for (const auto& name : record.unsaid.directories)
            json["impliedDirectories"].push_back(json_of(name));
    for (const auto& [name, target] : record.unsaid.links)
        json["linksBelow"].push_back({json_of(name), json_of(target)});
    return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace stack::image
