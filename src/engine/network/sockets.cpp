#include "engine/network/sockets.h"

#include "base/text.h"
#include "sys/file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>

#include <unistd.h>

namespace stack::network {
namespace {

template <class T>
std::optional<T> parse_hex(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// Words of 32 bits in the machine's byte order, each printed as a number (proc(5)).
std::optional<IpAddress> parse_proc_address(std::string_view text) {
    constexpr std::size_t digits = 8;
    std::string bytes;
    for (std::size_t i = 0; i + digits <= text.size(); i += digits) {
        const auto word = parse_hex<std::uint32_t>(text.substr(i, digits));
        if (!word)
            return std::nullopt;
        bytes.append(reinterpret_cast<const char*>(&*word), sizeof *word);
    }
    if (bytes.size() != 4 && bytes.size() != 16)
        return std::nullopt;
    return ip_from_bytes(bytes);
}

std::vector<std::string> words(std::string_view line) {
    auto list = split(line, ' ');
    std::erase(list, "");
    return list;
}

std::optional<BoundSocket> parse_line(std::string_view line, Protocol protocol) {
    constexpr std::string_view listening = "0A";
    const auto fields = words(line);
    if (fields.size() < 10 || (protocol == Protocol::tcp && fields[3] != listening))
        return std::nullopt;
    const auto [address_text, port_text] = split_once(fields[1], ':');
    const auto address = parse_proc_address(address_text);
    const auto port = parse_hex<std::uint16_t>(port_text);
    const auto inode = parse_number<std::uint64_t>(fields[9]);
    if (!address || !port || !inode)
        return std::nullopt;
    return BoundSocket{*address, *port, *inode};
}

bool is_unspecified(const IpAddress& address) {
    return std::all_of(
        address.bytes.begin(), address.bytes.end(), [](auto byte) { return byte == 0; });
}

/// The inodes of the sockets that are in the way.
std::vector<std::string> links_of(const std::vector<IpAddress>& wanted,
                                  Protocol protocol,
                                  std::uint16_t port) {
    std::vector<std::string> links;
    const std::string table = protocol == Protocol::tcp ? "/proc/net/tcp" : "/proc/net/udp";
    for (const auto& file : {table, table + "6"}) {
        for (const auto& held : parse_bound_sockets(sys::read_file(file).value_or(""), protocol)) {
            const auto collides = [&](const IpAddress& address) {
                return collide(held.address, address);
            };
            if (held.port == port && std::any_of(wanted.begin(), wanted.end(), collides))
                links.push_back("socket:[" + std::to_string(held.inode) + "]");
        }
    }
    return links;
}

bool holds_one(const std::string& process, const std::vector<std::string>& links) {
    const std::string directory = process + "/fd";
    std::array<char, 64> target{};
    for (const auto& fd : sys::list_directory(directory)) {
        const auto length =
            ::readlink((directory + "/" + fd).c_str(), target.data(), target.size());
        if (length > 0 &&
            std::find(links.begin(),
                      links.end(),
                      std::string_view(target.data(), static_cast<std::size_t>(length))) !=
                links.end())
            return true;
    }
    return false;
}

}  // namespace

std::vector<BoundSocket> parse_bound_sockets(std::string_view text, Protocol protocol) {
    std::vector<BoundSocket> sockets;
    for (const auto& line : split(text, '\n')) {
        if (const auto socket = parse_line(line, protocol))
            sockets.push_back(*socket);
    }
    return sockets;
}

bool collide(const IpAddress& held, const IpAddress& wanted) {
    if (held.family != wanted.family)
        return held.family == Family::v6 && is_unspecified(held);
    return held == wanted || is_unspecified(held) || is_unspecified(wanted);
}

std::optional<Owner> find_owner(const std::vector<IpAddress>& wanted,
                                Protocol protocol,
                                std::uint16_t port) {
    if (protocol == Protocol::sctp)
        return std::nullopt;
    const auto links = links_of(wanted, protocol, port);
    if (links.empty())
        return std::nullopt;
    for (const auto& name : sys::list_directory("/proc")) {
        const auto pid = parse_number<int>(name);
        const std::string process = "/proc/" + name;
        if (pid && holds_one(process, links))
            return Owner{std::string(trim(sys::read_file(process + "/comm").value_or(""))), *pid};
    }
    return std::nullopt;
}

}  // namespace stack::network
