#include "cli/container_filter.h"

#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "engine/image/reference.h"

#include <algorithm>
#include <array>
#include <regex>

namespace stack::cli {
namespace {

Strings known_keys() {
    Strings known;
    for (const auto& key : split(ContainerFilter::keys, ','))
        known.emplace_back(trim(key));
    return known;
}

/// A regular expression, as docker has it; `/web` is a name's older form.
bool is_named(const ObservedContainer& container, const std::string& pattern) {
    try {
        const std::regex expression(pattern);
        return std::regex_search(container.name, expression) ||
               std::regex_search("/" + container.name, expression);
    } catch (const std::regex_error&) {
        give_up("--filter name: \"" + pattern + "\" is no regular expression");
    }
}

/// Gives up where the word is none of those that can hold.
bool is_word(const std::string& word,
             const std::string& key,
             const std::string& value,
             const Strings& words) {
    if (std::find(words.begin(), words.end(), value) == words.end())
        give_up("--filter " + key + " is one of " + join(words, ", ") + ", not \"" + value + "\"");
    return word == value;
}

bool has_status(const ObservedContainer& container, const std::string& value) {
    return is_word(state_text(container),
                   "status",
                   value,
                   {"created", "restarting", "running", "removing", "paused", "exited", "dead"});
}

bool has_health(const ObservedContainer& container, const std::string& value) {
    constexpr std::array<const char*, 4> words{"none", "starting", "healthy", "unhealthy"};
    return is_word(words[static_cast<std::size_t>(container.health)],
                   "health",
                   value,
                   {words.begin(), words.end()});
}

bool is_made_of(const ObservedContainer& container, const std::string& image) {
    const std::string digits = container.image_id.substr(container.image_id.find(':') + 1);
    if (container.image == image || container.image_id == image ||
        (!image.empty() && digits.starts_with(image)))
        return true;
    const auto own = image::parse_reference(container.image);
    const auto wanted = image::parse_reference(image);
    return own && wanted && *own == *wanted;
}

bool is_in_network(const ObservedContainer& container, const std::string& network) {
    const Service& service = container.service_config;
    return service.networks.contains(network) || service.network_mode == network ||
           std::any_of(container.addresses.begin(),
                       container.addresses.end(),
                       [&](const auto& address) { return address.network == network; });
}

bool has_volume(const ObservedContainer& container, const std::string& volume) {
    return std::any_of(container.mounts.begin(), container.mounts.end(), [&](const Mount& mount) {
        return mount.source == volume || mount.target == volume;
    });
}

/// `80`, `80/udp`, `8000-8010/tcp`.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    Protocol protocol = Protocol::tcp;

    [[nodiscard]] bool has(std::uint16_t port, Protocol spoken) const {
        return port >= first && port <= last && spoken == protocol;
    }
};

PortRange port_range(const std::string& key, const std::string& text) {
    const auto [numbers, protocol] = split_once(text, '/');
    const auto [from, to] = split_once(numbers, '-');
    const auto first = parse_number<std::uint16_t>(from);
    const auto last = to.empty() ? first : parse_number<std::uint16_t>(to);
    const bool is_known =
        protocol.empty() || protocol == "tcp" || protocol == "udp" || protocol == "sctp";
    if (!first || !last || !is_known)
        give_up("--filter " + key + " is a port such as 80, 53/udp or 8000-8010, not \"" + text +
                "\"");
    return {*first,
            *last,
            protocol == "udp"    ? Protocol::udp
            : protocol == "sctp" ? Protocol::sctp
                                 : Protocol::tcp};
}

bool publishes(const ObservedContainer& container, const std::string& text) {
    const PortRange range = port_range("publish", text);
    return std::any_of(container.ports.begin(), container.ports.end(), [&](const auto& port) {
        return port.published != 0 && range.has(port.published, port.protocol);
    });
}

bool exposes(const ObservedContainer& container, const std::string& text) {
    const PortRange range = port_range("expose", text);
    const auto& exposed = container.service_config->expose;
    return std::any_of(container.ports.begin(),
                       container.ports.end(),
                       [&](const auto& port) { return range.has(port.target, port.protocol); }) ||
           std::any_of(exposed.begin(), exposed.end(), [&](const std::string& one) {
               const PortRange own = port_range("expose", one);
               return range.has(own.first, own.protocol);
           });
}

bool has_exit_code(const ObservedContainer& container, const std::string& value) {
    const auto code = parse_number<int>(value);
    if (!code)
        give_up("--filter exited is an exit code, not \"" + value + "\"");
    return container.state == ContainerState::exited && container.exit.code == *code;
}

}  // namespace

ContainerFilter::ContainerFilter(const Strings& filters, const std::vector<ObservedContainer>& all)
    : filters_(filters, known_keys()), all_(all) {}

bool ContainerFilter::matches(const ObservedContainer& container) const {
    return filters_.hold([&](const std::string& key, const std::string& value) {
        return holds(container, key, value);
    });
}

bool ContainerFilter::wants_all() const {
    return filters_.have("status") || filters_.have("exited");
}

Time ContainerFilter::creation_of(const std::string& name) const {
    for (const auto& container : all_)
        if (container.name == name || (!name.empty() && container.id.starts_with(name)))
            return container.created;
    give_up("No such container: " + name + " (of --filter)");
}

bool ContainerFilter::holds(const ObservedContainer& container,
                            const std::string& key,
                            const std::string& value) const {
    if (key == "name")
        return is_named(container, value);
    if (key == "id")
        return container.id.starts_with(value);
    if (key == "status")
        return has_status(container, value);
    if (key == "health")
        return has_health(container, value);
    if (key == "exited")
        return has_exit_code(container, value);
    if (key == "ancestor")
        return is_made_of(container, value);
    if (key == "label")
        return has_label(container.labels, value);
    if (key == "label!")
        return !has_label(container.labels, value);
    if (key == "network")
        return is_in_network(container, value);
    if (key == "volume")
        return has_volume(container, value);
    if (key == "publish")
        return publishes(container, value);
    if (key == "expose")
        return exposes(container, value);
    if (key == "before")
        return container.created < creation_of(value);
    if (key == "since")
        return container.created > creation_of(value);
    return is_until(container.created, value);
}

}  // namespace stack::cli
