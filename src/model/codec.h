#pragma once

// Values to JSON and back, by their fields (fields.h). A field at its default is not written, and
// one that is not there decodes to its default, so that records of an older program can be read.
// Heavy: include it in .cpp files only.

#include <stack/boxed.h>
#include <stack/error.h>

#include "model/fields.h"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

namespace stack::model {

using Json = nlohmann::json;

struct AnyField {
    void operator()(const char* name, auto& field) const;
};

/// A value that has fields. (No lambda: to clang 16 a requirement with one is always met.)
template <class T>
concept Record = requires(T& value) {
    visit_fields(value, AnyField());
};

template <class T>
Json encode(const T& value);
template <class T>
void decode(const Json& json, T& value);

namespace detail {

template <class T>
struct Codec;

template <class T>
requires std::is_arithmetic_v<T> || std::same_as<T, std::string>

struct Codec<T> {
    static Json encode(const T& value) { return value; }

    static void decode(const Json& json, T& value) { json.get_to(value); }
};

template <class T>
requires std::is_enum_v<T>

struct Codec<T> {
    static Json encode(T value) { return std::string(name_of(value)); }

    static void decode(const Json& json, T& value) {
        const auto& text = json.get_ref<const std::string&>();
        const auto& names = names_of<T>;
        const auto found = std::find(names.begin(), names.end(), text);
        if (found == names.end())
            throw Error("unknown value \"" + text + "\"");
        value = static_cast<T>(found - names.begin());
    }
};

template <>
struct Codec<Duration> {
    static Json encode(const Duration& value) { return value.count(); }

    static void decode(const Json& json, Duration& value) {
        value = Duration(json.get<std::int64_t>());
    }
};

template <class Optional>
struct OptionalCodec {
    static Json encode(const Optional& value) { return value ? model::encode(*value) : Json(); }

    static void decode(const Json& json, Optional& value) {
        if (json.is_null())
            value.reset();
        else
            model::decode(json, value.emplace());
    }
};

template <class T>
struct Codec<std::optional<T>> : OptionalCodec<std::optional<T>> {};

template <class T>
struct Codec<BoxedOptional<T>> : OptionalCodec<BoxedOptional<T>> {};

template <class T>
struct Codec<std::vector<T>> {
    static Json encode(const std::vector<T>& value) {
        Json list = Json::array();
        for (const auto& item : value)
            list.push_back(model::encode(item));
        return list;
    }

    static void decode(const Json& json, std::vector<T>& value) {
        value.clear();
        for (const auto& item : json)
            model::decode(item, value.emplace_back());
    }
};

template <class T>
struct Codec<std::map<std::string, T>> {
    static Json encode(const std::map<std::string, T>& value) {
        Json object = Json::object();
        for (const auto& [key, item] : value)
            object[key] = model::encode(item);
        return object;
    }

    static void decode(const Json& json, std::map<std::string, T>& value) {
        value.clear();
        for (const auto& [key, item] : json.items())
            model::decode(item, value[key]);
    }
};

template <Record T>
struct Codec<T> {
    static Json encode(const T& value) {
        Json object = Json::object();
        auto initial = defaults().begin();
        visit_fields(value, [&](const char* name, const auto& field) {
            using Field = std::remove_cvref_t<decltype(field)>;
            const Default& own = *initial++;
            // Most fields are at their defaults: those cost one comparison.
            if constexpr (std::equality_comparable<Field>)
                if (field == *static_cast<const Field*>(own.field))
                    return;
            Json encoded = model::encode(field);
            if (encoded != own.encoded)
                object[name] = std::move(encoded);
        });
        return object;
    }

    static void decode(const Json& json, T& value) {
        visit_fields(value, [&](const char* name, auto& field) {
            if (const auto found = json.find(name); found != json.end())
                model::decode(*found, field);
        });
    }

  private:
    struct Default {
        const void* field;
        Json encoded;
    };

    /// Of each field, in order.
    static const std::vector<Default>& defaults() {
        static const T initial{};
        static const std::vector<Default> all = [] {
            std::vector<Default> fields;
            visit_fields(initial, [&](const char*, const auto& field) {
                fields.push_back({&field, model::encode(field)});
            });
            return fields;
        }();
        return all;
    }
};

}  // namespace detail

template <class T>
Json encode(const T& value) {
    return detail::Codec<T>::encode(value);
}

/// Throws stack::Error or nlohmann::json::exception where `json` is not of the value's shape.
template <class T>
void decode(const Json& json, T& value) {
    detail::Codec<T>::decode(json, value);
}

}  // namespace stack::model
