// The top level: networks, volumes, secrets, configs, and the file as a whole.

#include "base/text.h"
#include "loader/decode.h"
#include "loader/lint.h"

#include <algorithm>

namespace stack::loader {
namespace {

constexpr std::size_t most_ports = 131'072;  // of all services

/// `external: true`, or the old form `external: {name: x}`.
void decode_external(Object& object, bool& external, std::string& name) {
    const Node* node = object.take("external");
    if (node == nullptr)
        return;
    if (!node->is_mapping()) {
        external = boolean_of(*node, "`external`", object.reporter);
        return;
    }
    external = true;
    Object old(*node, "`external`", object.reporter);
    old.text("name", name);
    object.reporter.warning(
        node->at, "deprecated", "`external.name` is old: write `external: true` and `name`");
}

bool is_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

template <class Decode>
void for_each_entry(Object& object, const char* key, const Decode& decode) {
    const Node* node = object.take(key);
    if (node == nullptr)
        return;
    if (!node->is_mapping()) {
        object.reporter.wrong_type(*node, std::string("`") + key + "`", "a mapping");
        return;
    }
    for (const auto& [name, value] : node->entries) {
        if (!is_name(name.text))
            object.reporter.error(
                name.at,
                "name",
                "\"" + shortened(name.text) + "\" cannot be a name under `" + key + "`",
                "letters, digits, '.', '_' and '-'");
        decode(name, value);
    }
}

/// A service at the top level is one whose indentation is lost. To be called when all that may
/// stand there is taken.
void refuse_stray_services(Object& object) {
    for (const auto& [key, value] : object.node().entries)
        if (!object.knows(key.text) && !key.text.starts_with("x-") &&
            (value.find("image") != nullptr || value.find("build") != nullptr)) {
            object.take(key.text);
            object.reporter.error(key.at,
                                  "stray-service",
                                  "service `" + key.text + "` stands outside of `services`",
                                  "put `services:` above it, and indent it");
        }
}

/// Read for its mistakes only: nothing here runs models.
void check_model(const std::string& key, const Node& node, Reporter& reporter) {
    Object object(node, "model `" + key + "`", reporter);
    std::string text;
    std::optional<std::int64_t> size;
    Strings flags;
    object.text("name", text);
    object.text("model", text);
    object.number("context_size", size);
    object.list("runtime_flags", flags);
    object.need("model", object.what() + " needs `model`");
}

/// The models of a service must be among those at the top, `known`.
void check_names_of_models(const std::string& name,
                           const Node& service,
                           const Node* known,
                           Reporter& reporter) {
    const Node* models = service.find("models");
    if (models == nullptr)
        return;
    const auto check = [&](const std::string& model, const Place& at) {
        if (known == nullptr || known->find(model) == nullptr)
            reporter.error(at,
                           "undefined",
                           "service `" + name + "` refers to undefined model `" + model + "`",
                           "declare it under the top-level `models`");
    };
    for (const auto& item : models->items)
        check(item.value, item.at);
    for (const auto& [key, value] : models->entries)
        check(key.text, key.at);
}

}  // namespace

Network decode_network(const std::string& key, const Node& node, Reporter& reporter) {
    Network network;
    network.key = key;
    Object object(node, "network `" + key + "`", reporter);
    decode_external(object, network.external, network.name);
    object.text("name", network.name);
    if (const Node* driver = object.take("driver")) {
        check_choice(*driver,
                     "the driver of a network",
                     {"bridge", "host", "none", "macvlan", "ipvlan", "default"},
                     reporter);
        network.driver = driver->value == "default" ? "" : driver->value;
    }
    object.map("driver_opts", network.driver_opts);
    if ((network.driver == "macvlan" || network.driver == "ipvlan") && !network.external &&
        !network.driver_opts.contains("parent"))
        reporter.error(
            node.find("driver")->at,
            "missing-key",
            "a network of driver " + network.driver + " needs an interface of the host to lie on",
            "name it with `driver_opts: {parent: eth0}`, or leave `driver` out for a bridge");
    object.map("labels", network.labels);
    object.boolean("internal", network.internal);
    object.boolean("attachable", network.attachable);
    object.boolean("enable_ipv4", network.enable_ipv4);
    object.boolean("enable_ipv6", network.enable_ipv6);
    if (const Node* ipam = object.take("ipam")) {
        Object options(*ipam, "`ipam`", reporter);
        options.text("driver", network.ipam_driver);
        StringMap unread;
        options.map("options", unread);
        options.warn_ignored({"options"});
        if (const Node* config = options.take("config"))
            for (const auto& item : config->items) {
                Object entry(item, "an element of `ipam.config`", reporter);
                IpamPool pool;
                entry.text("subnet", pool.subnet);
                entry.text("gateway", pool.gateway);
                entry.text("ip_range", pool.ip_range);
                entry.map("aux_addresses", pool.aux_addresses);
                network.ipam.push_back(std::move(pool));
            }
    }
    return network;
}

Volume decode_volume(const std::string& key, const Node& node, Reporter& reporter) {
    Volume volume;
    volume.key = key;
    Object object(node, "volume `" + key + "`", reporter);
    decode_external(object, volume.external, volume.name);
    object.text("name", volume.name);
    if (const Node* driver = object.take("driver")) {
        check_choice(*driver, "the driver of a volume", {"local"}, reporter);
        volume.driver = driver->value;
    }
    object.map("driver_opts", volume.driver_opts);
    object.map("labels", volume.labels);
    if (volume.external)
        for (const auto* made : {"driver", "driver_opts", "labels"})
            if (const Node* value = object.take(made))
                reporter.error(value->at,
                               "conflict",
                               object.what() + " is external: `" + made +
                                   "` is for volumes that the stack makes",
                               "remove one of the two");
    return volume;
}

FileSource decode_file_source(const std::string& key,
                              const Node& node,
                              bool config,
                              Reporter& reporter) {
    FileSource source;
    source.key = key;
    Object object(node, (config ? "config `" : "secret `") + key + "`", reporter);
    decode_external(object, source.external, source.name);
    object.text("name", source.name);
    object.text("file", source.file);
    object.text("environment", source.environment);
    if (config)
        if (const Node* content = object.take("content"))
            source.content = text_of(*content, "`content`", reporter);
    object.map("labels", source.labels);
    object.unread_text("driver");
    object.unread_text("template_driver");
    StringMap unread;
    object.map("driver_opts", unread);
    object.warn_ignored({"driver", "driver_opts", "template_driver"});
    const int given = (source.file.empty() ? 0 : 1) + (source.environment.empty() ? 0 : 1) +
                      (source.content ? 1 : 0) + (source.external ? 1 : 0);
    if (given != 1)
        reporter.error(node.at,
                       "source",
                       object.what() + (given == 0 ? " has no source" : " has several sources"),
                       config ? "exactly one of `file`, `environment`, `content` or `external`"
                              : "exactly one of `file`, `environment` or `external`");
    return source;
}

Stack decode_stack(const Node& node, Reporter& reporter) {
    Stack stack;
    Object object(node, "the stack file", reporter);
    object.text("name", stack.name);
    if (const Node* version = object.take("version"))
        reporter.warning(
            version->at, "obsolete", "`version` is obsolete and is ignored", "remove it");
    static_cast<void>(object.take("include"));  // resolved before
    if (const Node* extension = object.take("x-stack")) {
        Object own(*extension, "`x-stack`", reporter);
        if (const Node* switches = own.take("lint"))
            check_lint_switches(*switches, reporter);
    }
    object.warn_ignored({"models"});
    for_each_entry(object, "models", [&](const Key& key, const Node& value) {
        check_model(key.text, value, reporter);
    });
    std::size_t ports = 0;
    for_each_entry(object, "services", [&](const Key& key, const Node& value) {
        if (ports > most_ports)
            return;
        Service& service = stack.services[key.text] = decode_service(key.text, value, reporter);
        check_names_of_models(key.text, value, node.find("models"), reporter);
        ports += service.ports.size();
        if (ports > most_ports)
            reporter.error(
                key.at, "too-large", "up to here the services have more than 131,072 ports");
    });
    for_each_entry(object, "networks", [&](const Key& key, const Node& value) {
        stack.networks[key.text] = decode_network(key.text, value, reporter);
    });
    for_each_entry(object, "volumes", [&](const Key& key, const Node& value) {
        stack.volumes[key.text] = decode_volume(key.text, value, reporter);
    });
    for_each_entry(object, "secrets", [&](const Key& key, const Node& value) {
        stack.secrets[key.text] = decode_file_source(key.text, value, false, reporter);
    });
    for_each_entry(object, "configs", [&](const Key& key, const Node& value) {
        stack.configs[key.text] = decode_file_source(key.text, value, true, reporter);
    });
    refuse_stray_services(object);
    return stack;
}

}  // namespace stack::loader
