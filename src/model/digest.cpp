#include "model/digest.h"

#include "base/digest.h"
#include "base/text.h"
#include "model/codec.h"

#include <set>

namespace stack::model {
namespace {

std::string digest_of(const Json& json) {
    return sha256_hex(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// The service without what never makes a container another one.
Service identity(Service service) {
    service.build.reset();
    service.pull_policy.clear();
    service.scale.reset();
    service.depends_on.clear();
    service.profiles.clear();
    service.env_file.clear();    // its variables are in `environment`
    service.label_file.clear();  // and these in `labels`
    service.watch.clear();
    service.update_config = {};
    service.rollback_config = {};
    service.attach = true;
    return service;
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
    Service service = identity(spec.service);
    service.restart = {};
    service.resources = {};
    service.networks.clear();
    Json json;
    json["service"] = encode(service);
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
    Json old_whole = encode(identity(before));
    Json new_whole = encode(identity(after));
    // Most of it is the same, and is not taken apart.
    for (auto field = old_whole.begin(); field != old_whole.end();) {
        const auto other = new_whole.find(field.key());
        if (other == new_whole.end() || *other != *field) {
            ++field;
            continue;
        }
        new_whole.erase(other);
        field = old_whole.erase(field);
    }
    const Json old_fields = flat(old_whole);
    const Json new_fields = flat(new_whole);
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
