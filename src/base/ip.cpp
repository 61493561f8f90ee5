#include "base/ip.h"

#include "base/text.h"

#include <algorithm>

#include <arpa/inet.h>

namespace stack {
namespace {

int to_af(Family family) {
    return family == Family::v4 ? AF_INET : AF_INET6;
}

/// The bits of byte `index` that belong to a prefix of `length` bits.
std::uint8_t mask_of_byte(int length, std::size_t index) {
    const int bits = std::clamp(length - static_cast<int>(index) * 8, 0, 8);
    return static_cast<std::uint8_t>(0xff00U >> static_cast<unsigned>(bits));
}

}  // namespace

std::size_t byte_count(Family family) {
    return family == Family::v4 ? 4 : 16;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
    const std::string terminated(text);
    if (terminated.find('\0') != std::string::npos)
        return std::nullopt;
    for (const Family family : {Family::v4, Family::v6}) {
        IpAddress address{family, {}};
        if (inet_pton(to_af(family), terminated.c_str(), address.bytes.data()) == 1)
            return address;
    }
    return std::nullopt;
}

std::optional<IpPrefix> parse_prefix(std::string_view text) {
    const auto [left, right] = split_once(text, '/');
    const auto address = parse_ip(left);
    const auto length = parse_number<int>(right);
    if (!address || !length || *length < 0 || *length > bit_count(address->family))
        return std::nullopt;
    return IpPrefix{*address, *length};
}

IpAddress ip_from_bytes(std::string_view bytes) {
    IpAddress address{bytes.size() == 4 ? Family::v4 : Family::v6, {}};
    std::copy_n(bytes.begin(), std::min(bytes.size(), address.bytes.size()), address.bytes.begin());
    return address;
}

std::string to_text(const IpAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    return inet_ntop(to_af(address.family), address.bytes.data(), buffer.data(), buffer.size());
}

std::string to_text(const IpPrefix& prefix) {
    return to_text(prefix.address) + "/" + std::to_string(prefix.length);
}

std::string_view bytes_of(const IpAddress& address) {
    return {reinterpret_cast<const char*>(address.bytes.data()), byte_count(address.family)};
}

IpAddress first_address(const IpPrefix& prefix) {
    IpAddress first = prefix.address;
    for (std::size_t i = 0; i < byte_count(first.family); ++i)
        first.bytes[i] = first.bytes[i] & mask_of_byte(prefix.length, i);
    return first;
}

IpAddress last_address(const IpPrefix& prefix) {
    IpAddress last = prefix.address;
    for (std::size_t i = 0; i < byte_count(last.family); ++i)
        last.bytes[i] =
            static_cast<std::uint8_t>(last.bytes[i] | (0xffU & ~mask_of_byte(prefix.length, i)));
    return last;
}

bool contains(const IpPrefix& prefix, const IpAddress& address) {
    return prefix.address.family == address.family &&
           first_address(prefix) == first_address({address, prefix.length});
}

bool overlap(const IpPrefix& a, const IpPrefix& b) {
    return a.length <= b.length ? contains(a, b.address) : contains(b, a.address);
}

IpAddress advance(IpAddress address, std::uint64_t count) {
    std::uint64_t carry = count;
    for (std::size_t i = byte_count(address.family); i-- > 0 && carry != 0;) {
        const std::uint64_t sum = address.bytes[i] + (carry & 0xffU);
        address.bytes[i] = static_cast<std::uint8_t>(sum & 0xffU);
        carry = (carry >> 8U) + (sum >> 8U);
    }
    return address;
}

}  // namespace stack
