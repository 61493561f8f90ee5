#include "engine/network/elements.h"

#include <stack/error.h>

#include "base/ip.h"
#include "engine/network/address_pool.h"
#include "model/fields.h"

namespace stack::network {
namespace {

void add_subnet(Elements& elements, const std::string& subnet, const std::string& family) {
    if (subnet.empty())
        return;
    elements["nets" + family].insert(subnet);
    elements["same_sub" + family].insert(subnet + " . " + subnet);
}

/// What a network's own end of the wires has is nobody's else.
void add_gateway(Elements& elements, const NetworkRecord& network) {
    const std::string on_it = std::to_string(network.group) + " . ";
    for (const auto& [set, address] :
         {std::pair("taken4", network.gateway4), std::pair("taken6", network.gateway6)})
        if (!address.empty())
            elements[set].insert(on_it + address);
    const std::string& named = network.gateway4.empty() ? network.gateway6 : network.gateway4;
    if (const auto address = parse_ip(named)) {
        const std::string mac = mac_for(*address);
        elements["taken_mac"].insert(on_it + mac);
        elements["taken6"].insert(on_it + to_text(link_local_for(mac)));
    }
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
    return host + std::string(model::name_of(port.protocol)) + " . " + std::to_string(port.port);
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

}  // namespace

Elements elements_for(const std::vector<NetworkRecord>& networks) {
    Elements elements;
    for (const auto& network : networks) {
        if (!network.driver.empty())
            continue;  // its packets do not come by the host's
        elements["bridges"].insert(network.bridge);
        elements["same_net"].insert(network.bridge + " . " + network.bridge);
        if (network.internal)
            elements["internal"].insert(network.bridge);
        add_subnet(elements, network.subnet4, "4");
        add_subnet(elements, network.subnet6, "6");
        add_gateway(elements, network);
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

Elements elements_for(const std::vector<Wire>& wires) {
    Elements elements;
    for (const auto& wire : wires)
        for (const auto& [kind, address] : {std::pair("_mac", wire.mac),
                                            std::pair("6", to_text(link_local_for(wire.mac))),
                                            std::pair("4", wire.address4),
                                            std::pair("6", wire.address6)}) {
            if (address.empty())
                continue;
            elements[std::string("taken") + kind].insert(std::to_string(wire.group) + " . " +
                                                         address);
            elements[std::string("own") + kind].insert(wire.port + " . " + address);
        }
    return elements;
}

void add_elements(Elements& to, const Elements& more) {
    for (const auto& [set, elements] : more)
        to[set].insert(elements.begin(), elements.end());
}

void remove_elements(Elements& from, const Elements& gone) {
    for (const auto& [set, elements] : gone)
        if (const auto found = from.find(set); found != from.end()) {
            for (const auto& element : elements)
                found->second.erase(element);
            if (found->second.empty())
                from.erase(found);
        }
}

std::string key_of(const std::string& element) {
    return element.substr(0, element.find(" : "));
}

}  // namespace stack::network
