#include "base/text.h"
#include "loader/print.h"

#include <algorithm>

#include <yaml-cpp/yaml.h>

namespace stack::loader {
namespace {

void emit(YAML::Emitter& out, const Json& json);

void emit_text(YAML::Emitter& out, const std::string& text) {
    static const Strings words{
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", ".inf", ".nan", ""};
    const bool looks_typed = std::find(words.begin(), words.end(), to_lower(text)) != words.end() ||
                             text.starts_with("0x") ||
                             text.find_first_not_of("0123456789.:eE+-_xo") == std::string::npos;
    const bool has_control = std::any_of(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (has_control || looks_typed)
        out << YAML::DoubleQuoted << text;
    else
        out << text;
}

void emit(YAML::Emitter& out, const Json& json) {
    if (json.is_object() && !json.empty()) {
        out << YAML::BeginMap;
        for (const auto& [key, value] : json.items()) {
            out << YAML::Key;
            emit_text(out, key);
            out << YAML::Value;
            emit(out, value);
        }
        out << YAML::EndMap;
    } else if (json.is_array() && !json.empty()) {
        out << YAML::BeginSeq;
        for (const auto& item : json)
            emit(out, item);
        out << YAML::EndSeq;
    } else if (json.is_object()) {
        out << YAML::Flow << YAML::BeginMap << YAML::EndMap;
    } else if (json.is_array()) {
        out << YAML::Flow << YAML::BeginSeq << YAML::EndSeq;
    } else if (json.is_string()) {
        emit_text(out, json.get<std::string>());
    } else if (json.is_null()) {
        out << YAML::Null;
    } else if (json.is_boolean()) {
        out << json.get<bool>();
    } else if (json.is_number_integer()) {
        out << json.get<std::int64_t>();
    } else {
        out << json.dump();  // the shortest text that is the same number
    }
}

}  // namespace

std::string yaml_text(const Json& json) {
    YAML::Emitter out;
    out.SetNullFormat(YAML::LowerNull);
    emit(out, json);
    return std::string(out.c_str()) + "\n";
}

}  // namespace stack::loader
