#include "loader/merge.h"

#include "base/text.h"
#include "loader/paths.h"
#include "loader/short_syntax.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace stack::loader {
namespace {

/// What a path names below its service, network, volume …: {"services", "web", "build", "args"} ->
/// "build.args"; "" above that.
std::string attribute_of(const KeyPath& path) {
    return path.size() < 3 ? std::string() : join({path.begin() + 2, path.end()}, ".");
}

KeyPath below(const KeyPath& path, const std::string& key) {
    KeyPath longer = path;
    longer.push_back(key);
    return longer;
}

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
    return std::any_of(
        names.begin(), names.end(), [&](const char* other) { return name == other; });
}

/// Lists that stand for a mapping NAME=value.
bool is_assignment_list(const std::string& attribute) {
    return is_one_of(attribute,
                     {"environment",
                      "labels",
                      "annotations",
                      "build.args",
                      "build.labels",
                      "sysctls",
                      "deploy.labels",
                      "extra_hosts",
                      "build.extra_hosts",
                      "build.additional_contexts",
                      "driver_opts"});
}

/// Replaced as a whole, not added to.
bool is_replaced(const std::string& attribute) {
    return is_one_of(attribute, {"command", "entrypoint", "healthcheck.test"}) ||
           attribute.starts_with("ulimits.") || attribute.starts_with("build.ulimits.");
}

/// Whether what is below the path is the value of a name that says something without one: that of
/// the environment, or the empty text.
bool is_bare_name(const KeyPath& path) {
    return path.size() > 3 && is_one_of(attribute_of({path.begin(), path.end() - 1}),
                                        {"environment",
                                         "build.args",
                                         "labels",
                                         "build.labels",
                                         "deploy.labels",
                                         "annotations",
                                         "sysctls"});
}

/// The options of one logging driver mean nothing to another.
bool is_another_driver(const Node& base, const Node& over, const std::string& attribute) {
    const Node* before = base.find("driver");
    const Node* after = over.find("driver");
    return attribute == "logging" && before != nullptr && after != nullptr &&
           before->value != after->value;
}

/// What `- db` says of a dependency.
Node short_dependency(const Place& at) {
    const auto scalar = [&](const char* value) {
        Node node;
        node.at = at;
        node.kind = NodeKind::scalar;
        node.value = value;
        return node;
    };
    Node node;
    node.at = at;
    node.kind = NodeKind::mapping;
    node.entries.push_back({Key{"condition", at}, scalar("service_started")});
    node.entries.push_back({Key{"required", at}, scalar("true")});
    return node;
}

void to_list(Node& node) {
    if (!node.is_scalar())
        return;
    Node item = node;
    node = Node{};
    node.kind = NodeKind::sequence;
    node.at = item.at;
    node.items.push_back(std::move(item));
}

/// The other form of what may be a list or a mapping: names become keys without a value.
void to_mapping(Node& node, const std::string& attribute) {
    if (!node.is_sequence())
        return;
    std::vector<Entry> entries;
    std::unordered_map<std::string, std::size_t> hosts_at;  // a host may have several addresses
    for (auto& item : node.items) {
        Node value;
        value.at = item.at;
        std::string name = item.value;
        const bool hosts = attribute.ends_with("extra_hosts");
        if (attribute == "depends_on")
            value = short_dependency(item.at);
        if (is_assignment_list(attribute)) {
            const bool by_colon = hosts && name.find('=') == std::string::npos;
            const auto [key, text] = split_once(name, by_colon ? ':' : '=');
            if (key.size() < name.size()) {
                value.kind = NodeKind::scalar;
                value.value = text;
                value.quoted = true;
            }
            name = key;
        }
        const auto known =
            hosts ? hosts_at.emplace(name, entries.size()) : std::pair(hosts_at.end(), true);
        if (known.second) {
            entries.push_back({Key{name, item.at}, std::move(value)});
            continue;
        }
        Node& addresses = entries[known.first->second].value;
        to_list(addresses);
        addresses.items.push_back(std::move(value));
    }
    node.kind = NodeKind::mapping;
    node.items.clear();
    node.entries = std::move(entries);
}

/// Brings both to one form where the file allows several.
void same_form(Node& base, Node& over, const std::string& attribute) {
    if (is_assignment_list(attribute) ||
        is_one_of(attribute, {"depends_on", "networks", "models"})) {
        to_mapping(base, attribute);
        to_mapping(over, attribute);
    } else if (attribute == "build") {
        for (Node* node : {&base, &over})
            if (node->is_scalar()) {
                Node context = *node;
                node->kind = NodeKind::mapping;
                node->value.clear();
                node->entries = {{Key{"context", context.at}, context}};
            }
    } else if (is_one_of(attribute, {"env_file", "label_file", "dns", "dns_search", "tmpfs"}) ||
               attribute.starts_with("extra_hosts.") ||
               attribute.starts_with("build.extra_hosts.")) {
        to_list(base);
        to_list(over);
    }
}

std::string port_identity(const Port& port) {
    return port.host_ip + ":" + port.published + ":" + std::to_string(port.target) + "/" +
           std::to_string(static_cast<int>(port.protocol));
}

/// A port in long form, of which only what tells it from others is read.
std::string port_identity(const Node& item) {
    Port port;
    if (const Node* node = item.find("host_ip"))
        port.host_ip = node->value;
    if (const Node* node = item.find("published"))
        port.published = node->value;
    if (const Node* node = item.find("target"))
        port.target = parse_number<std::uint16_t>(node->value).value_or(0);
    if (const Node* node = item.find("protocol"))
        port.protocol = node->value == "udp"    ? Protocol::udp
                        : node->value == "sctp" ? Protocol::sctp
                                                : Protocol::tcp;
    return port_identity(port);
}

/// A path in the container.
std::string clean(const std::string& path) {
    return path.starts_with('/') ? absolute(path, "/", "") : path;
}

/// What makes two elements of a list the same one.
std::string identity(const Node& item, const std::string& attribute) {
    const auto field = [&](const char* key) {
        const Node* node = item.find(key);
        return node == nullptr ? std::string() : node->value;
    };
    if (attribute == "volumes") {
        if (item.is_mapping())
            return clean(field("target"));
        const auto parts = split(item.value, ':');
        return clean(parts.size() == 1 ? parts[0] : parts[1]);
    }
    if (attribute == "tmpfs")
        return clean(split_once(item.value, ':').first);
    if (attribute == "ports") {
        if (item.is_mapping())
            return port_identity(item);
        if (item.value.find('-') != std::string::npos)  // a range
            return item.value;
        const auto ports = parse_port(item.value);
        return !ports || ports->size() != 1 ? item.value : port_identity(ports->front());
    }
    if (is_one_of(attribute, {"secrets", "configs", "build.secrets"})) {
        const std::string source = item.is_mapping() ? field("source") : item.value;
        const std::string target = item.is_mapping() ? field("target") : "";
        const std::string name = target.empty() ? source : target;
        return attribute == "build.secrets"
                   ? name
                   : absolute(name, attribute == "secrets" ? "/run/secrets" : "/", "");
    }
    if (attribute == "devices") {
        if (item.is_mapping())
            return field("target");
        const auto parts = split(item.value, ':');
        return parts.size() == 1 ? parts[0] : parts[1];
    }
    if (attribute == "env_file" && item.is_mapping())
        return field("path");
    if (attribute == "ipam.config")
        return field("subnet");
    return item.value;
}

bool has_unique_elements(const std::string& attribute) {
    if (attribute.starts_with("extra_hosts.") || attribute.starts_with("build.extra_hosts.") ||
        (attribute.starts_with("networks.") && attribute.ends_with(".aliases")))
        return true;
    return is_one_of(attribute, {"volumes",     "ports",          "secrets",         "configs",
                                 "devices",     "env_file",       "cap_add",         "cap_drop",
                                 "dns",         "dns_search",     "dns_opt",         "expose",
                                 "links",       "external_links", "profiles",        "tmpfs",
                                 "group_add",   "security_opt",   "build.tags",      "volumes_from",
                                 "ipam.config", "build.secrets",  "build.platforms", "label_file"});
}

void merge_mappings(Node& base, Node over, const KeyPath& path) {
    KeyIndex index = index_of(base);
    for (auto& [key, value] : over.entries) {
        const auto found = index.find(key.text);
        if (found == index.end()) {
            index.emplace(key.text, base.entries.size());
            base.entries.push_back({std::move(key), std::move(value)});
            continue;
        }
        Node& existing = base.entries[found->second].value;
        if (value.tag == Tag::reset)  // resolve_tags takes the entry away
            existing = std::move(value);
        else
            merge_into(existing, std::move(value), below(path, key.text));
    }
}

/// Pools of the same subnet are one.
void merge_pools(Node& base, Node over, const KeyPath& path) {
    const auto subnet = [](const Node& pool) {
        const Node* node = pool.find("subnet");
        return node == nullptr ? std::string() : node->value;
    };
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < base.items.size(); ++i)
        places.emplace(subnet(base.items[i]), i);
    for (auto& pool : over.items) {
        const auto [same, is_new] = places.emplace(subnet(pool), base.items.size());
        if (is_new || !pool.is_mapping() || !base.items[same->second].is_mapping())
            base.items.push_back(std::move(pool));
        else
            merge_mappings(base.items[same->second], std::move(pool), path);
    }
}

}  // namespace

void merge_into(Node& base, Node over, const KeyPath& path) {
    const std::string attribute = attribute_of(path);
    if (over.tag == Tag::override || base.tag == Tag::reset || base.is_null()) {
        if (!over.is_null() || over.tag == Tag::override)
            base = std::move(over);
        return;
    }
    if (over.is_null()) {
        if (is_bare_name(path) || is_one_of(attribute, {"command", "entrypoint"}))
            base = std::move(over);
        return;
    }
    same_form(base, over, attribute);
    if (is_replaced(attribute) || is_another_driver(base, over, attribute))
        base = std::move(over);
    else if (base.is_mapping() && over.is_mapping())
        merge_mappings(base, std::move(over), path);
    else if (base.is_sequence() && over.is_sequence() && attribute == "ipam.config")
        merge_pools(base, std::move(over), path);
    else if (base.is_sequence() && over.is_sequence())
        std::move(over.items.begin(), over.items.end(), std::back_inserter(base.items));
    else
        base = std::move(over);
}

void resolve_tags(Node& node) {
    std::erase_if(node.entries, [](const auto& entry) { return entry.value.tag == Tag::reset; });
    if (node.tag == Tag::override)
        node.tag = Tag::none;
    for (auto& [key, value] : node.entries)
        resolve_tags(value);
    for (auto& item : node.items)
        resolve_tags(item);
}

void drop_duplicates(Node& node, const KeyPath& path) {
    const std::string attribute = attribute_of(path);
    if (node.is_sequence() && has_unique_elements(attribute)) {
        // The last of the same stays, in the place of the first.
        std::vector<Node> kept;
        std::unordered_map<std::string, std::size_t> places;
        for (auto& item : node.items) {
            const std::string name = identity(item, attribute);
            const auto [place, is_new] = places.emplace(name, kept.size());
            if (is_new || name.empty())
                kept.push_back(std::move(item));
            else
                kept[place->second] = std::move(item);
        }
        node.items = std::move(kept);
    }
    for (auto& [key, value] : node.entries)
        drop_duplicates(value, below(path, key.text));
}

}  // namespace stack::loader
