#include "loader/merge.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <set>

namespace stack::loader {
namespace {

/// The attribute of a service that a path names: "services.web.ports" -> "ports"; "" elsewhere.
std::string service_attribute(const std::string& path) {
    const auto parts = split(path, '.');
    if (parts.size() < 3 || parts[0] != "services")
        return {};
    std::string rest = parts[2];
    for (std::size_t i = 3; i < parts.size(); ++i)
        rest += "." + parts[i];
    return rest;
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
                      "build.additional_contexts"});
}

/// Replaced as a whole, not added to.
bool is_replaced(const std::string& attribute) {
    return is_one_of(attribute, {"command", "entrypoint", "healthcheck.test"});
}

/// The other form of what may be a list or a mapping: names become keys without a value.
void to_mapping(Node& node, const std::string& attribute) {
    if (!node.is_sequence())
        return;
    std::vector<std::pair<Key, Node>> entries;
    for (auto& item : node.items) {
        Node value;
        value.at = item.at;
        std::string name = item.value;
        if (is_assignment_list(attribute)) {
            const bool hosts =
                attribute.ends_with("extra_hosts") && name.find('=') == std::string::npos;
            const auto [key, text] = split_once(name, hosts ? ':' : '=');
            if (key.size() < name.size()) {
                value.kind = NodeKind::scalar;
                value.value = text;
                value.quoted = true;
            }
            name = key;
        }
        entries.emplace_back(Key{name, item.at}, std::move(value));
    }
    node.kind = NodeKind::mapping;
    node.items.clear();
    node.entries = std::move(entries);
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

/// Brings both to one form where the file allows several.
void same_form(Node& base, Node& over, const std::string& attribute) {
    if (is_assignment_list(attribute) || is_one_of(attribute, {"depends_on", "networks"})) {
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
    } else if (is_one_of(attribute, {"env_file", "dns", "dns_search", "tmpfs"})) {
        to_list(base);
        to_list(over);
    }
}

/// What makes two elements of a list the same one.
std::string identity(const Node& item, const std::string& attribute) {
    const auto field = [&](const char* key) {
        const Node* node = item.find(key);
        return node == nullptr ? std::string() : node->value;
    };
    if (attribute == "volumes") {
        if (item.is_mapping())
            return field("target");
        const auto parts = split(item.value, ':');
        return parts.size() == 1 ? parts[0] : parts[1];
    }
    if (attribute == "ports" && item.is_mapping())
        return field("host_ip") + ":" + field("published") + ":" + field("target") + "/" +
               field("protocol");
    if (is_one_of(attribute, {"secrets", "configs"})) {
        const std::string target = item.is_mapping() ? field("target") : "";
        return !target.empty() ? target : item.is_mapping() ? field("source") : item.value;
    }
    if (attribute == "devices") {
        if (item.is_mapping())
            return field("target");
        const auto parts = split(item.value, ':');
        return parts.size() == 1 ? parts[0] : parts[1];
    }
    if (attribute == "env_file" && item.is_mapping())
        return field("path");
    return item.value;
}

bool has_unique_elements(const std::string& attribute) {
    return is_one_of(attribute, {"volumes",   "ports",          "secrets",    "configs",
                                 "devices",   "env_file",       "cap_add",    "cap_drop",
                                 "dns",       "dns_search",     "dns_opt",    "expose",
                                 "links",     "external_links", "profiles",   "tmpfs",
                                 "group_add", "security_opt",   "build.tags", "volumes_from"});
}

void erase_key(Node& mapping, const std::string& key) {
    std::erase_if(mapping.entries, [&](const auto& entry) { return entry.first.text == key; });
}

}  // namespace

void merge_into(Node& base, Node over, const std::string& path) {
    if (over.tag == "!override" || base.is_null() || over.is_null()) {
        if (!over.is_null() || over.tag == "!override")
            base = std::move(over);
        return;
    }
    const std::string attribute = service_attribute(path);
    same_form(base, over, attribute);
    if (base.is_mapping() && over.is_mapping()) {
        for (auto& [key, value] : over.entries) {
            if (value.tag == "!reset") {
                erase_key(base, key.text);
                continue;
            }
            if (Node* existing = base.find(key.text))
                merge_into(
                    *existing, std::move(value), path.empty() ? key.text : path + "." + key.text);
            else
                base.entries.emplace_back(key, std::move(value));
        }
        return;
    }
    if (base.is_sequence() && over.is_sequence() && !is_replaced(attribute)) {
        for (auto& item : over.items)
            base.items.push_back(std::move(item));
        return;
    }
    base = std::move(over);
}

void resolve_tags(Node& node) {
    std::erase_if(node.entries, [](const auto& entry) { return entry.second.tag == "!reset"; });
    if (node.tag == "!override")
        node.tag.clear();
    for (auto& [key, value] : node.entries)
        resolve_tags(value);
    for (auto& item : node.items)
        resolve_tags(item);
}

void drop_duplicates(Node& node, const std::string& path) {
    const std::string attribute = service_attribute(path);
    if (node.is_sequence() && has_unique_elements(attribute)) {
        // The last of the same stays, in the place of the first.
        std::vector<Node> kept;
        std::vector<std::string> names;
        for (auto& item : node.items) {
            const std::string name = identity(item, attribute);
            const auto found = std::find(names.begin(), names.end(), name);
            if (found == names.end() || name.empty()) {
                names.push_back(name);
                kept.push_back(std::move(item));
            } else {
                kept[static_cast<std::size_t>(found - names.begin())] = std::move(item);
            }
        }
        node.items = std::move(kept);
    }
    for (auto& [key, value] : node.entries)
        drop_duplicates(value, path.empty() ? key.text : path + "." + key.text);
}

}  // namespace stack::loader
