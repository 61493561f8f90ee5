#pragma once

// Reading the objects of a config.json: what is not there is empty, what is of another kind is an
// error that names it.

#include <stack/error.h>
#include <stack/model.h>

#include <limits>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace stack::oci {

using Json = nlohmann::json;

/// What config.json asks for and cannot have.
[[nodiscard]] inline Error not_supported(const std::string& what) {
    return {std::make_error_code(std::errc::not_supported), what + " is not supported"};
}

/// The value of `key`; null where there is none.
[[nodiscard]] const Json& field(const Json& object, const char* key);

[[nodiscard]] std::string text_of(const Json& object, const char* key);
[[nodiscard]] bool flag_of(const Json& object, const char* key);
[[nodiscard]] Strings texts_of(const Json& object, const char* key);
[[nodiscard]] StringMap map_of(const Json& object, const char* key);

/// A whole number within the bounds of `T`.
template <class T>
[[nodiscard]] std::optional<T> number_of(const Json& object, const char* key) {
    const Json& value = field(object, key);
    if (value.is_null())
        return std::nullopt;
    const bool is_negative =
        value.is_number_integer() && !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
    using Bounds = std::numeric_limits<T>;
    bool fits = value.is_number_integer();
    if (fits && is_negative)
        fits = value.get<std::int64_t>() >= static_cast<std::int64_t>(Bounds::min());
    else if (fits)
        fits = value.get<std::uint64_t>() <= static_cast<std::uint64_t>(Bounds::max());
    if (!fits)
        throw Error("config.json: " + std::string(key) + " is " + value.dump() +
                    ", not a number of its kind");
    return value.get<T>();
}

}  // namespace stack::oci
