#include "model/digest.h"

#include "base/digest.h"
#include "base/text.h"
#include "model/codec.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

namespace stack::model {
namespace {

std::string digest_of(const Json& json) {
    return sha256_hex(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// What never makes a container another one.
constexpr std::array<std::string_view, 11> beside_identity{
    "build",
    "pull_policy",
    "scale",
    "depends_on",
    "profiles",
    "env_file",    // its variables are in `environment`
    "label_file",  // and these in `labels`
    "watch",
    "update_config",
    "rollback_config",
    "attach",
};

/// What changes while a container runs.
constexpr std::array<std::string_view, 3> changed_in_place{"restart", "resources", "networks"};

bool is_beside_identity(std::string_view field) {
    return std::find(beside_identity.begin(), beside_identity.end(), field) !=
           beside_identity.end();
}

bool is_beside_digest(std::string_view field) {
    return is_beside_identity(field) ||
           std::find(changed_in_place.begin(), changed_in_place.end(), field) !=
               changed_in_place.end();
}

using Fields = std::vector<const void*>;

/// Where the service has its fields, in their order.
Fields fields_of(const Service& service) {
    constexpr std::size_t about = 128;
    Fields fields;
    fields.reserve(about);
    visit_fields(service, [&](const char*, const auto& field) { fields.push_back(&field); });
    return fields;
}

const Fields& defaults() {
    static const Service initial;
    static const Fields fields = fields_of(initial);
    return fields;
}

/// What of the service is not as in `others`, fields of another one, in the form of encode(). Most
/// of two services is the same: that costs a comparison a field.
Json encode_differing(const Service& service,
                      const Fields& others,
                      bool (*is_left_out)(std::string_view)) {
    Json object = Json::object();
    std::size_t index = 0;
    visit_fields(service, [&](const char* name, const auto& field) {
        const auto in = [&](const Fields& fields) -> decltype(field) {
            return *static_cast<const std::remove_cvref_t<decltype(field)>*>(fields[index]);
        };
        if (field != in(others) && !is_left_out(name))
            if (Json encoded = encode(field); encoded != encode(in(defaults())))
                object[name] = std::move(encoded);
        ++index;
    });
    return object;
}

std::string as_text(const Json& json) {
    return json.is_string() ? json.get<std::string>()
                            : json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// "/environment/DEBUG" to "environment.DEBUG" (JSON pointer, RFC 6901).
std::string dotted(const std::string& pointer) {
    std::string text = replace_all(pointer.substr(1), "/", ".");
    return replace_all(replace_all(text, "~1", "/"), "~0", "~");
}

/// Each value by its pointer. Of nothing, nlohmann would make one value without a name.
Json flat(const Json& object) {
    return object.empty() ? Json::object() : object.flatten();
}

}  // namespace

std::string config_digest(const ContainerSpec& spec) {
    Json json;
    json["service"] = encode_differing(spec.service, defaults(), is_beside_digest);
    json["secrets"] = encode(spec.secrets);
    json["configs"] = encode(spec.configs);
    json["image"] = spec.image;
    return digest_of(json);
}

std::string config_digest(const Network& network) {
    return digest_of(encode(network));
}

std::string config_digest(const Volume& volume) {
    return digest_of(encode(volume));
}

bool is_same_interface(const NetworkAttachment& one, NetworkAttachment other) {
    other.aliases = one.aliases;
    other.priority = one.priority;
    other.gw_priority = one.gw_priority;
    return one == other;
}

std::vector<FieldChange> changes(const Service& before, const Service& after) {
    const Json old_fields = flat(encode_differing(before, fields_of(after), is_beside_identity));
    const Json new_fields = flat(encode_differing(after, fields_of(before), is_beside_identity));
    std::set<std::string> names;
    for (const auto* fields : {&old_fields, &new_fields})
        for (const auto& [name, value] : fields->items())
            names.insert(name);
    std::vector<FieldChange> list;
    for (const auto& name : names) {
        const auto old_value = old_fields.find(name);
        const auto new_value = new_fields.find(name);
        const std::string was = old_value == old_fields.end() ? "" : as_text(*old_value);
        const std::string is = new_value == new_fields.end() ? "" : as_text(*new_value);
        if (was != is)
            list.push_back({dotted(name), was, is});
    }
    return list;
}

}  // namespace stack::model
