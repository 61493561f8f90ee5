#include "engine/network/ruleset.h"

#include <stack/error.h>

#include "base/ip.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <nlohmann/json.hpp>

namespace stack::network {
namespace {

using Json = nlohmann::json;

struct SetDefinition {
    const char* kind;  // set or map
    const char* name;
    const char* type;
};

constexpr std::array sets{
    SetDefinition{"set", "bridges", "type ifname;"},
    SetDefinition{"set", "internal", "type ifname;"},
    SetDefinition{"set", "same_net", "type ifname . ifname;"},
    SetDefinition{"set", "nets4", "type ipv4_addr; flags interval;"},
    SetDefinition{"set", "nets6", "type ipv6_addr; flags interval;"},
    SetDefinition{"set", "same_sub4", "type ipv4_addr . ipv4_addr; flags interval;"},
    SetDefinition{"set", "same_sub6", "type ipv6_addr . ipv6_addr; flags interval;"},
    SetDefinition{
        "map", "pub4", "type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service;"},
    SetDefinition{"map", "pub4_any", "type inet_proto . inet_service : ipv4_addr . inet_service;"},
    SetDefinition{
        "map", "pub6", "type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service;"},
    SetDefinition{"map", "pub6_any", "type inet_proto . inet_service : ipv6_addr . inet_service;"},
    SetDefinition{"set", "fwd6", "type ipv6_addr . inet_proto . inet_service;"},
    SetDefinition{"set", "fwd6_any", "type inet_proto . inet_service;"},
};

// Every line is one chain head or one rule. What each is for:
//   raw_pre     route_localnet makes 127.0.0.0/8 routable; only this machine itself may send to it
//               (CVE-2020-8558, and 127.0.0.1-published ports reached by neighbours: moby#45610)
//   pubmap      a miss in a map falls through. Questions to a gateway's port 53 are the name
//   service's, also where a
//               container publishes 53 on every address. ::1 has no route_localnet: what is sent
//               there is left to the shim, which listens on it (shim/forward.h)
//   nat_post    127.0.0.1 cannot leave the machine, so it becomes the bridge's address; a container
//   that reaches a
//               neighbour (or itself) by a published port must see the answer come back through us.
//               On bridged traffic the interface is unset here, hence addresses
//   forwarding  networks are apart from each other, internal ones from everything, and nobody
//   routes to a port that
//               is not published
//   arriving    the ports that a shim forwards arrive at the machine itself, where no rule of
//   forwarding keeps internal networks from them
// `priority dstnat` is refused on the output hook (nft 1.0.6), so it is a number there.
constexpr const char* chains = R"(
  chain raw_pre {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip6 daddr ::1 drop
  }
  chain pubmap {
    ip daddr @nets4 meta l4proto { tcp, udp } th dport 53 return
    ip6 daddr @nets6 meta l4proto { tcp, udp } th dport 53 return
    meta nfproto ipv4 dnat ip addr . port to ip daddr . meta l4proto . th dport map @pub4
    meta nfproto ipv4 dnat ip addr . port to meta l4proto . th dport map @pub4_any
    ip6 daddr ::1 return
    meta nfproto ipv6 dnat ip6 addr . port to ip6 daddr . meta l4proto . th dport map @pub6
    meta nfproto ipv6 dnat ip6 addr . port to meta l4proto . th dport map @pub6_any
  }
  chain nat_pre {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump pubmap
  }
  chain nat_out {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump pubmap
  }
  chain nat_post {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 127.0.0.0/8 oifname @bridges masquerade
    ct status dnat ip saddr . ip daddr @same_sub4 masquerade
    ct status dnat ip6 saddr . ip6 daddr @same_sub6 masquerade
    ip saddr @nets4 oifname != @bridges ip daddr != 224.0.0.0/4 masquerade
    ip6 saddr @nets6 oifname != @bridges ip6 daddr != ff00::/8 masquerade
  }
  chain forwarding {
    type filter hook forward priority filter; policy accept;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname . oifname @same_net accept
    oifname @internal drop
    iifname @internal drop
    ct status dnat oifname @bridges accept
    oifname @bridges drop
    iifname @bridges accept
  }
  chain arriving {
    type filter hook input priority filter; policy accept;
    iifname @internal ip6 daddr . meta l4proto . th dport @fwd6 drop
    iifname @internal meta nfproto ipv6 meta l4proto . th dport @fwd6_any drop
  }
)";

constexpr int rule_count = 25;  // of `chains`
constexpr int chain_count = 7;

std::string quoted(const std::string& name) {
    return '"' + name + '"';
}

std::string element_list(const std::set<std::string>& elements) {
    return join({elements.begin(), elements.end()}, ", ");
}

std::string set_text(const SetDefinition& set, const Elements& elements) {
    std::string text = std::string("  ") + set.kind + " " + set.name + " { " + set.type;
    if (const auto found = elements.find(set.name);
        found != elements.end() && !found->second.empty())
        text += " elements = { " + element_list(found->second) + " }";
    return text + " }\n";
}

std::string edit_text(const char* verb,
                      const std::string& table,
                      const std::string& set,
                      const std::set<std::string>& elements) {
    if (elements.empty())
        return {};
    return std::string(verb) + " element inet " + table + " " + set + " { " +
           element_list(elements) + " }\n";
}

std::set<std::string> missing(const std::set<std::string>& from, const std::set<std::string>& in) {
    std::set<std::string> difference;
    std::set_difference(from.begin(),
                        from.end(),
                        in.begin(),
                        in.end(),
                        std::inserter(difference, difference.end()));
    return difference;
}

const std::set<std::string>& elements_of(const Elements& elements, const std::string& set) {
    static const std::set<std::string> none;
    const auto found = elements.find(set);
    return found == elements.end() ? none : found->second;
}

void add_subnet(Elements& elements, const std::string& subnet, const std::string& family) {
    if (subnet.empty())
        return;
    elements["nets" + family].insert(subnet);
    elements["same_sub" + family].insert(subnet + " . " + subnet);
}

std::string name_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::tcp:
            return "tcp";
        case Protocol::udp:
            return "udp";
        case Protocol::sctp:
            return "sctp";
    }
    return {};
}

/// The families that a published address stands for: "" both, 0.0.0.0 and :: one each.
bool covers(const std::string& host_ip, Family family) {
    const auto address = parse_ip(host_ip);
    return host_ip.empty() || (address && address->family == family);
}

bool is_any(const std::string& host_ip) {
    return host_ip.empty() || host_ip == "0.0.0.0" || host_ip == "::";
}

std::string key_for(const PublishedPort& port) {
    const std::string host = is_any(port.host_ip) ? "" : to_text(*parse_ip(port.host_ip)) + " . ";
    return host + name_of(port.protocol) + " . " + std::to_string(port.port);
}

std::string set_for(const std::string& kind, const PublishedPort& port) {
    return kind + (is_any(port.host_ip) ? "_any" : "");
}

/// The kernel leads nothing from one family to the other; the shim forwards what comes by IPv6 to a
/// container that has no address of it.
void add_port6(Elements& elements, const PublishedPort& port, const std::string& address6) {
    if (address6.empty())
        elements[set_for("fwd6", port)].insert(key_for(port));
    else
        elements[set_for("pub6", port)].insert(key_for(port) + " : " + address6 + " . " +
                                               std::to_string(port.target));
}

/// An element of a listing as add_port() and the others write it.
std::string element_text(const Json& value) {
    if (value.is_string())
        return value.get<std::string>();
    if (value.is_number())
        return std::to_string(value.get<std::int64_t>());
    if (const auto found = value.find("prefix"); value.is_object() && found != value.end())
        return found->at("addr").get<std::string>() + "/" + element_text(found->at("len"));
    if (const auto found = value.find("elem"); value.is_object() && found != value.end())
        return element_text(found->at("val"));
    std::vector<std::string> parts;
    for (const auto& part :
         value.is_object() ? value.value("concat", Json::array()) : Json::array())
        parts.push_back(element_text(part));
    return join(parts, " . ");
}

std::set<std::string> listed_elements(const Json& set, bool names_are_quoted) {
    std::set<std::string> listed;
    for (const auto& element : set.value("elem", Json::array())) {
        if (element.is_array() && element.size() == 2)
            listed.insert(element_text(element[0]) + " : " + element_text(element[1]));
        else if (!names_are_quoted)
            listed.insert(element_text(element));
        else
            listed.insert(quoted(replace_all(element_text(element), " . ", "\" . \"")));
    }
    return listed;
}

bool has_interface_names(const Json& set) {
    const Json type = set.value("type", Json());
    return type == "ifname" || (type.is_array() && !type.empty() && type[0] == "ifname");
}

}  // namespace

std::string table_name(const std::string& instance) {
    return instance.empty() ? "stack" : "stack_" + instance;
}

Elements elements_for(const std::vector<NetworkRecord>& networks) {
    Elements elements;
    for (const auto& network : networks) {
        if (!network.driver.empty())
            continue;  // its packets do not come by the host's
        const std::string bridge = quoted(network.bridge);
        elements["bridges"].insert(bridge);
        elements["same_net"].insert(bridge + " . " + bridge);
        if (network.internal)
            elements["internal"].insert(bridge);
        add_subnet(elements, network.subnet4, "4");
        add_subnet(elements, network.subnet6, "6");
    }
    return elements;
}

Elements elements_for(const std::vector<PublishedPort>& ports,
                      const std::string& address4,
                      const std::string& address6) {
    Elements elements;
    for (const auto& port : ports) {
        const bool by4 = covers(port.host_ip, Family::v4) && !address4.empty();
        const bool by6 =
            covers(port.host_ip, Family::v6) && !(address4.empty() && address6.empty());
        if (!by4 && !by6)
            throw Error("port " + std::to_string(port.port) + " cannot be published on " +
                        port.host_ip +
                        ": the container's network has no IPv4 address (enable_ipv4)");
        if (by4)
            elements[set_for("pub4", port)].insert(key_for(port) + " : " + address4 + " . " +
                                                   std::to_string(port.target));
        if (by6)
            add_port6(elements, port, address6);
    }
    return elements;
}

void add_elements(Elements& to, const Elements& more) {
    for (const auto& [set, elements] : more)
        to[set].insert(elements.begin(), elements.end());
}

std::string table_text(const std::string& table, const Elements& elements) {
    std::string text = no_table_text(table) + "table inet " + table + " {\n";
    for (const auto& set : sets)
        text += set_text(set, elements);
    return text + chains + "}\n";
}

std::string no_table_text(const std::string& table) {
    // Deleting what is not there fails the transaction; adding what is there does not.
    return "add table inet " + table + "\ndelete table inet " + table + "\n";
}

std::string edits_text(const std::string& table, const Elements& before, const Elements& after) {
    std::string text;
    for (const auto& set : sets)
        text += edit_text("delete",
                          table,
                          set.name,
                          missing(elements_of(before, set.name), elements_of(after, set.name)));
    for (const auto& set : sets)
        text += edit_text("add", table, set.name, elements_of(after, set.name));
    return text;
}

bool is_in_force(const std::string& json, const Elements& elements) {
    const Json listing = Json::parse(json, nullptr, false);
    if (!listing.is_object())
        return false;
    int rules = 0;
    int chains_seen = 0;
    std::size_t sets_seen = 0;
    for (const auto& object : listing.value("nftables", Json::array())) {
        rules += object.contains("rule") ? 1 : 0;
        chains_seen += object.contains("chain") ? 1 : 0;
        const Json set = object.contains("set") ? object["set"] : object.value("map", Json());
        if (set.is_null())
            continue;
        ++sets_seen;
        if (listed_elements(set, has_interface_names(set)) !=
            elements_of(elements, set.value("name", "")))
            return false;
    }
    return rules == rule_count && chains_seen == chain_count && sets_seen == sets.size();
}

std::string key_of(const std::string& element) {
    return element.substr(0, element.find(" : "));
}

}  // namespace stack::network
