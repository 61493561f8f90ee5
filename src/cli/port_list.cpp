#include "cli/port_list.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace stack::cli {
namespace {

bool has_own_network(const Service& service) {
    return service.network_mode.empty() || service.network_mode == "bridge";
}

/// An address of the host as it stands before a colon.
std::string bracketed(const std::string& address) {
    return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

/// Neighbours of one address and protocol.
struct Range {
    std::string address;
    Protocol protocol = Protocol::tcp;
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

std::string range_text(const Range& range) {
    const std::string numbers = std::to_string(range.first) +
                                (range.first == range.last ? "" : "-" + std::to_string(range.last));
    return (range.address.empty() ? "" : bracketed(range.address) + ":" + numbers + "->") +
           numbers + "/" + protocol_text(range.protocol);
}

}  // namespace

std::vector<ObservedPort> ports_in_force(const ObservedContainer& container) {
    std::vector<ObservedPort> ports;
    if (!is_up(container) || !has_own_network(container.service_config))
        return ports;
    for (auto port : container.ports) {
        if (port.published == 0 || !port.host_ip.empty()) {
            ports.push_back(std::move(port));
            continue;
        }
        for (const auto* every : {"0.0.0.0", "::"}) {
            port.host_ip = every;
            ports.push_back(port);
        }
    }
    const auto place = [](const ObservedPort& port) {
        return std::tie(port.target, port.host_ip, port.published, port.protocol);
    };
    std::stable_sort(ports.begin(), ports.end(), [&](const auto& one, const auto& other) {
        return place(one) < place(other);
    });
    return ports;
}

std::string protocol_text(Protocol protocol) {
    constexpr std::array<const char*, 3> words{"tcp", "udp", "sctp"};
    return words[static_cast<std::size_t>(protocol)];
}

std::string target_text(const ObservedPort& port) {
    return std::to_string(port.target) + "/" + protocol_text(port.protocol);
}

std::string host_text(const ObservedPort& port) {
    return bracketed(port.host_ip) + ":" + std::to_string(port.published);
}

/// Docker: what a later port has ended comes first, what has not in the order of beginning, and
/// what has another number on the host last.
std::string ports_text(const ObservedContainer& container) {
    Strings ended;
    Strings moved;
    std::vector<Range> open;
    for (const auto& port : ports_in_force(container)) {
        if (port.published != 0 && port.published != port.target) {
            moved.push_back(host_text(port) + "->" + target_text(port));
            continue;
        }
        const auto range = std::find_if(open.begin(), open.end(), [&](const Range& known) {
            return known.address == port.host_ip && known.protocol == port.protocol;
        });
        if (range == open.end()) {
            open.push_back({port.host_ip, port.protocol, port.target, port.target});
        } else if (port.target == range->last + 1) {
            range->last = port.target;
        } else {
            ended.push_back(range_text(*range));
            range->first = range->last = port.target;
        }
    }
    for (const auto& range : open)
        ended.push_back(range_text(range));
    ended.insert(ended.end(), moved.begin(), moved.end());
    return join(ended, ", ");
}

}  // namespace stack::cli
