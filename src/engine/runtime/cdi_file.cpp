#include "engine/runtime/cdi_file.h"

#include <stack/error.h>

#include "sys/file.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include <yaml-cpp/yaml.h>

namespace stack::runtime {
namespace {

using Json = nlohmann::json;

constexpr int deepest = 64;

/// The modes of files are written so: 0660, or 0o660 since YAML 1.2.
std::optional<std::uint64_t> octal_of(std::string_view text) {
    if (text.size() < 2 || text.front() != '0')
        return std::nullopt;
    text.remove_prefix(text[1] == 'o' ? 2 : 1);
    std::uint64_t value = 0;
    const auto* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value, 8);
    return error == std::errc{} && end == last ? std::optional(value) : std::nullopt;
}

/// A plain scalar is the number or truth value that it looks like.
Json scalar_of(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!")  // it is quoted
        return text;
    if (const auto octal = octal_of(text))
        return *octal;
    Json value = Json::parse(text, nullptr, false);
    return value.is_number() || value.is_boolean() || value.is_null() ? value : Json(text);
}

Json json_of(const YAML::Node& node, int depth) {
    if (depth > deepest)
        throw YAML::Exception(node.Mark(), "it is nested more than 64 deep");
    if (node.IsScalar())
        return scalar_of(node);
    Json json;
    if (node.IsSequence()) {
        json = Json::array();
        for (const auto& item : node)
            json.push_back(json_of(item, depth + 1));
    } else if (node.IsMap()) {
        json = Json::object();
        for (const auto& entry : node)
            json[entry.first.Scalar()] = json_of(entry.second, depth + 1);
    }
    return json;
}

}  // namespace

Json read_cdi_file(const std::string& path) {
    constexpr std::size_t largest = 16U << 20U;
    const std::string text = sys::read_file(path, largest).value_or("");
    if (path.ends_with(".json")) {  // tabs, which YAML does not take, are allowed there
        Json json = Json::parse(text, nullptr, false);
        if (json.is_discarded())
            throw Error(path + ": it is not JSON");
        return json;
    }
    try {
        return json_of(YAML::Load(text), 0);
    } catch (const YAML::Exception& error) {
        throw Error(path + ": " + error.what());
    }
}

}  // namespace stack::runtime
