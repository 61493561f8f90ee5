#pragma once

// IPv4 and IPv6 addresses and prefixes as values: parsed once, compared and counted with, printed
// canonically.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stack {

enum class Family : std::uint8_t { v4, v6 };

/// In network byte order; an IPv4 address occupies the first four bytes and the rest is zero.
struct IpAddress {
    Family family = Family::v4;
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const IpAddress&) const = default;
};

/// The address need not be the first of the prefix: 10.1.2.3/24 is an interface's address with its
/// network.
struct IpPrefix {
    IpAddress address;
    int length = 0;  // bits

    auto operator<=>(const IpPrefix&) const = default;
};

/// 4 or 16.
[[nodiscard]] std::size_t byte_count(Family family);

[[nodiscard]] inline int bit_count(Family family) {
    return static_cast<int>(byte_count(family)) * 8;
}

/// inet_pton(3)'s strict forms; nullopt for anything else.
[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);
/// `10.1.2.0/24`, `fd00::/64`; nullopt for anything else.
[[nodiscard]] std::optional<IpPrefix> parse_prefix(std::string_view text);
/// The address of 4 or 16 bytes in network order.
[[nodiscard]] IpAddress ip_from_bytes(std::string_view bytes);

[[nodiscard]] std::string to_text(const IpAddress& address);
[[nodiscard]] std::string to_text(const IpPrefix& prefix);

/// The bytes as they travel: 4 or 16.
[[nodiscard]] std::string_view bytes_of(const IpAddress& address);

[[nodiscard]] IpAddress first_address(const IpPrefix& prefix);
[[nodiscard]] IpAddress last_address(const IpPrefix& prefix);
[[nodiscard]] bool contains(const IpPrefix& prefix, const IpAddress& address);
[[nodiscard]] bool overlap(const IpPrefix& a, const IpPrefix& b);

/// `address` + `count`, wrapping around at the end of the family.
[[nodiscard]] IpAddress advance(IpAddress address, std::uint64_t count);

}  // namespace stack
