#include "loader/short_syntax.h"

#include "base/ip.h"
#include "base/text.h"
#include "loader/paths.h"

#include <algorithm>
#include <map>

namespace stack::loader {
namespace {

struct Ports {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
};

std::optional<Ports> parse_range(std::string_view text) {
    const auto [first, last] = split_once(text, '-');
    const auto begin = parse_number<std::uint16_t>(first);
    const auto end = last.empty() ? begin : parse_number<std::uint16_t>(last);
    if (!begin || !end || *end < *begin ||
        (text.find('-') != std::string_view::npos && last.empty()))
        return std::nullopt;
    return Ports{*begin, *end};
}

std::string text_of(const Ports& range) {
    return range.first == range.last
               ? std::to_string(range.first)
               : std::to_string(range.first) + "-" + std::to_string(range.last);
}

bool is_path(std::string_view source) {
    return !source.empty() && (source[0] == '.' || source[0] == '/' || source[0] == '~');
}

/// Splits at colons that are not inside ${…}.
Strings split_volume(std::string_view text) {
    Strings parts{""};
    int depth = 0;
    for (const char c : text) {
        depth += c == '{' ? 1 : c == '}' ? -1 : 0;
        if (c == ':' && depth == 0)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

constexpr const char* volume_modes =
    "the modes are ro, rw, z, Z, nocopy, cached, delegated, consistent, and for paths private, "
    "rprivate, shared, rshared, slave and rslave";

/// Of the modes of one kind a volume has one; "" where there is no such mode.
std::string kind_of_mode(const std::string& mode) {
    const auto is_one_of = [&](std::initializer_list<const char*> modes) {
        return std::find(modes.begin(), modes.end(), mode) != modes.end();
    };
    if (is_one_of({"ro", "rw"}))
        return "access";
    if (is_one_of({"z", "Z"}))
        return "label";
    if (is_one_of({"cached", "delegated", "consistent"}))
        return "consistency";
    if (is_one_of({"private", "rprivate", "shared", "rshared", "slave", "rslave"}))
        return "propagation";
    return mode == "nocopy" ? mode : "";
}

void apply_mode(Mount& mount, const std::string& mode, const std::string& kind) {
    mount.read_only = mount.read_only || mode == "ro";
    mount.nocopy = mount.nocopy || mode == "nocopy";
    if (kind == "label")
        mount.selinux = mode;
    if (kind == "propagation")
        mount.propagation = mode;
}

/// The comma-separated modes of a volume; what is wrong with them, or "".
std::string apply_modes(Mount& mount, const std::string& text) {
    std::map<std::string, std::string> seen;  // by kind
    for (const auto& mode : split(text, ',')) {
        const std::string kind = kind_of_mode(mode);
        if (kind.empty())
            return "\"" + mode + "\" is no mode of a volume: " + volume_modes;
        const auto [before, is_first] = seen.emplace(kind, mode);
        if (!is_first)
            return "a volume is not both \"" + before->second + "\" and \"" + mode +
                   "\": leave one away";
        apply_mode(mount, mode, kind);
    }
    return "";
}

}  // namespace

Expected<std::vector<Port>> parse_port(std::string_view text) {
    Port port;
    std::string_view rest = text;
    if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
        const std::string protocol = to_lower(rest.substr(slash + 1));
        if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
            return malformed("the protocol must be tcp, udp or sctp", slash + 1);
        port.protocol = protocol == "tcp"   ? Protocol::tcp
                        : protocol == "udp" ? Protocol::udp
                                            : Protocol::sctp;
        rest = rest.substr(0, slash);
    }
    std::string_view host;
    const auto last = rest.find_last_of(':');
    const std::string_view target_text =
        last == std::string_view::npos ? rest : rest.substr(last + 1);
    if (last != std::string_view::npos) {
        host = rest.substr(0, last);
        const auto before = host.find_last_of(':');
        if (before != std::string_view::npos) {
            std::string_view address = host.substr(0, before);
            if (address.starts_with('[') && address.ends_with(']'))
                address = address.substr(1, address.size() - 2);
            if (!address.empty() && !parse_ip(address))
                return malformed("\"" + std::string(address) + "\" is no IP address" +
                                     (address == "localhost" ? ": write 127.0.0.1" : ""),
                                 static_cast<std::size_t>(address.data() - text.data()));
            port.host_ip = address;
            host = host.substr(before + 1);
        }
    }
    const auto target = parse_range(target_text);
    if (!target || target->first == 0)
        return malformed(
            "a port is a number from 1 to 65535, as in 8080:80 or 127.0.0.1:8080:80/tcp",
            static_cast<std::size_t>(target_text.data() - text.data()));
    std::optional<Ports> published;
    if (!host.empty()) {
        published = parse_range(host);
        if (!published)
            return malformed(
                "the port of the host is a number from 0 to 65535 or a range such as 8000-8010",
                static_cast<std::size_t>(host.data() - text.data()));
    }
    const int targets = target->last - target->first + 1;
    const int hosts = published ? published->last - published->first + 1 : 0;
    if (targets > 1 && published && hosts != targets)
        return malformed("the two ranges have different lengths: " + std::to_string(hosts) +
                         " and " + std::to_string(targets));
    std::vector<Port> ports;
    for (int i = 0; i < targets; ++i) {
        Port one = port;
        one.target = static_cast<std::uint16_t>(target->first + i);
        if (published)
            one.published =
                targets > 1 ? std::to_string(published->first + i) : text_of(*published);
        ports.push_back(std::move(one));
    }
    return ports;
}

bool is_port_range(std::string_view text) {
    return parse_range(text).has_value();
}

Expected<Mount> parse_volume(std::string_view text) {
    const Strings parts = split_volume(text);
    if (text.empty() || parts.size() > 3)
        return malformed("a volume is [SOURCE:]TARGET[:options], as in data:/var/lib/data:ro");
    Mount mount;
    if (parts.size() == 1) {
        mount.target = parts[0];
    } else {
        mount.source = parts[0];
        mount.target = parts[1];
        if (mount.source.empty())
            return malformed("the source of the volume is empty");
    }
    if (!mount.target.starts_with('/'))
        return malformed("the target of a volume is an absolute path inside the container, not \"" +
                         mount.target + "\"");
    mount.target = absolute(mount.target, "/", "");
    if (is_path(mount.source))
        mount.type = MountType::bind;
    if (parts.size() == 3 && !parts[2].empty())
        if (const auto mistake = apply_modes(mount, parts[2]); !mistake.empty())
            return malformed(mistake, text.size() - parts[2].size());
    return mount;
}

Expected<Device> parse_device(std::string_view text) {
    const auto parts = split(text, ':');
    if (parts.empty() || parts[0].empty() || parts.size() > 3)
        return malformed(
            "a device is SOURCE[:TARGET[:permissions]], as in /dev/ttyUSB0:/dev/ttyUSB0:rw");
    Device device;
    device.source = parts[0];
    device.target = parts.size() > 1 && !parts[1].empty() ? parts[1] : parts[0];
    if (parts.size() > 2)
        device.permissions = parts[2];
    return device;
}

Expected<std::pair<std::string, std::string>> parse_extra_host(std::string_view text) {
    const auto separator =
        text.find('=') != std::string_view::npos ? text.find('=') : text.find(':');
    if (separator == std::string_view::npos || separator == 0 || separator + 1 == text.size())
        return malformed(
            "an extra host is NAME=ADDRESS, as in db=10.0.0.5 or "
            "host.docker.internal=host-gateway");
    std::string_view address = text.substr(separator + 1);
    if (address.starts_with('[') && address.ends_with(']'))
        address = address.substr(1, address.size() - 2);
    return std::pair(std::string(text.substr(0, separator)), std::string(address));
}

}  // namespace stack::loader
