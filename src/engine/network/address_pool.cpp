#include "engine/network/address_pool.h"

#include "base/digest.h"
#include "model/network_limits.h"
#include "sys/netlink.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

namespace stack::network {
namespace {

/// Routes at least this long are somebody's network; the widest private one is 10.0.0.0/8.
constexpr int shortest_network = 8;

constexpr int subnet_length = model::default_subnet_length;
constexpr std::uint32_t subnets_of_10 = 1U << (subnet_length - 8);
constexpr std::uint32_t subnets_of_172_16 = 1U << (subnet_length - 12);

IpPrefix subnet4(std::uint32_t index) {
    constexpr std::uint64_t hosts = 1U << (32 - subnet_length);
    const char* pool = index < subnets_of_10 ? "10.0.0.0" : "172.16.0.0";
    const std::uint64_t offset = index < subnets_of_10 ? index : index - subnets_of_10;
    return {advance(*parse_ip(pool), offset * hosts), subnet_length};
}

bool is_taken(const IpPrefix& subnet, const std::vector<IpPrefix>& taken) {
    return std::any_of(taken.begin(), taken.end(), [&](const IpPrefix& one) {
        return one.length >= shortest_network && overlap(one, subnet);
    });
}

std::uint32_t number_from(const std::string& seed) {
    return static_cast<std::uint32_t>(std::stoul(sha256_hex(seed).substr(0, 8), nullptr, 16));
}

/// fd, 40 bits of the digest, subnet 0: RFC 4193 section 3.2 asks for random ones, and a digest is
/// as good.
IpPrefix subnet6(const std::string& seed) {
    const std::string digits = sha256_hex(seed);
    IpPrefix subnet{{Family::v6, {0xfd}}, 64};
    for (std::size_t i = 0; i < 5; ++i)
        subnet.address.bytes[i + 1] =
            static_cast<std::uint8_t>(std::stoul(digits.substr(i * 2, 2), nullptr, 16));
    return subnet;
}

/// How many addresses choose_address() looks at: more than a bridge has ports, remembered ones
/// included.
constexpr std::uint64_t search_limit = 65536;

}  // namespace

std::optional<IpPrefix> choose_subnet4(const std::string& seed,
                                       const std::vector<IpPrefix>& taken) {
    constexpr std::uint32_t count = subnets_of_10 + subnets_of_172_16;
    const std::uint32_t start = number_from(seed) % count;
    for (std::uint32_t i = 0; i < count; ++i) {
        const IpPrefix subnet = subnet4((start + i) % count);
        if (!is_taken(subnet, taken))
            return subnet;
    }
    return std::nullopt;
}

IpPrefix choose_subnet6(const std::string& seed, const std::vector<IpPrefix>& taken) {
    IpPrefix subnet = subnet6(seed);
    for (int round = 1; is_taken(subnet, taken); ++round)
        subnet = subnet6(seed + "#" + std::to_string(round));
    return subnet;
}

bool is_usable(const AddressRange& range, const IpAddress& address) {
    const bool v4 = address.family == Family::v4;
    // RFC 3021: a /31 has no network and broadcast address to spare, and a /32 is one host.
    const bool has_ends = range.subnet.length < bit_count(address.family) - 1;
    if (!contains(range.subnet, address))
        return false;
    if (has_ends &&
        (address == first_address(range.subnet) || (v4 && address == last_address(range.subnet))))
        return false;
    return std::find(range.reserved.begin(), range.reserved.end(), address) == range.reserved.end();
}

std::optional<IpAddress> choose_address(const AddressRange& range,
                                        const std::vector<IpAddress>& leased,
                                        const std::vector<IpAddress>& remembered) {
    std::set<IpAddress> avoided(leased.begin(), leased.end());
    const std::set<IpAddress> held = avoided;
    avoided.insert(remembered.begin(), remembered.end());
    const IpAddress last = last_address(range.range);
    IpAddress candidate = first_address(range.range);
    for (std::uint64_t i = 0; i < search_limit; ++i, candidate = advance(candidate, 1)) {
        if (is_usable(range, candidate) && avoided.count(candidate) == 0)
            return candidate;
        if (candidate == last)
            break;
    }
    for (const auto& address : remembered) {
        if (contains(range.range, address) && is_usable(range, address) && held.count(address) == 0)
            return address;
    }
    return std::nullopt;
}

std::string mac_for(const IpAddress& address) {
    const std::string_view bytes = bytes_of(address);
    const auto byte = [&](std::size_t from_end) {
        return static_cast<unsigned>(static_cast<std::uint8_t>(bytes[bytes.size() - from_end]));
    };
    std::array<char, 18> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "02:%02x:%02x:%02x:%02x:%02x",
                  address.family == Family::v4 ? 0x42U : 0x43U,
                  byte(4),
                  byte(3),
                  byte(2),
                  byte(1));
    return text.data();
}

IpAddress link_local_for(const std::string& mac) {
    const std::string own = sys::parse_mac(mac).value_or(std::string(6, '\0'));
    constexpr char given_by_us = 2;
    std::string bytes("\xfe\x80\0\0\0\0\0\0", 8);
    bytes += static_cast<char>(own[0] ^ given_by_us);
    bytes += own.substr(1, 2) + "\xff\xfe" + own.substr(3);
    return ip_from_bytes(bytes);
}

}  // namespace stack::network
