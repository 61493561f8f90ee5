#include "oci/fields.h"

namespace stack::oci {
namespace {

[[noreturn]] void wrong(const char* key, const char* kind) {
    throw Error("config.json: " + std::string(key) + " is not " + kind);
}

std::string text(const Json& value, const char* key) {
    if (!value.is_string())
        wrong(key, "text");
    auto found = value.get<std::string>();
    if (found.find('\0') != std::string::npos)
        throw Error("config.json: " + std::string(key) + " has a null character in it");
    return found;
}

}  // namespace

const Json& field(const Json& object, const char* key) {
    static const Json none;
    if (object.is_null())
        return none;
    if (!object.is_object())
        throw Error("config.json: what has " + std::string(key) + " is not an object");
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

std::string text_of(const Json& object, const char* key) {
    const Json& value = field(object, key);
    return value.is_null() ? std::string() : text(value, key);
}

bool flag_of(const Json& object, const char* key) {
    const Json& value = field(object, key);
    if (!value.is_null() && !value.is_boolean())
        wrong(key, "true or false");
    return value.is_boolean() && value.get<bool>();
}

Strings texts_of(const Json& object, const char* key) {
    const Json& value = field(object, key);
    if (!value.is_null() && !value.is_array())
        wrong(key, "a list");
    Strings list;
    for (const auto& item : value)
        list.push_back(text(item, key));
    return list;
}

StringMap map_of(const Json& object, const char* key) {
    const Json& value = field(object, key);
    if (!value.is_null() && !value.is_object())
        wrong(key, "an object");
    StringMap map;
    for (const auto& [name, item] : value.items())
        map[name] = text(item, key);
    return map;
}

}  // namespace stack::oci
