#include "engine/network/sets.h"

#include <stack/error.h>

#include "base/ip.h"
#include "base/text.h"
#include "sys/netlink.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>

namespace stack::network {
namespace {

/// Types of values, by the numbers under which nft(8) knows them (its include/datatype.h). The
/// kernel does not read them; with them `nft list table` prints what it prints of tables of its
/// own.
enum class Field : std::uint32_t {
    address4 = 7,
    address6 = 8,
    hardware = 9,
    protocol = 12,
    port = 13,
    group = 35,
    interface = 41
};

using Fields = std::vector<Field>;

struct SetDefinition {
    const char* name;
    Fields key;
    Fields data;               // of a map
    bool has_subnets = false;  // in place of addresses
    sys::NftFamily family = sys::NftFamily::inet;
};

const std::vector<SetDefinition>& definitions() {
    using enum Field;
    constexpr auto on_bridges = sys::NftFamily::bridge;
    static const std::vector<SetDefinition> list{
        {"bridges", {interface}, {}},
        {"internal", {interface}, {}},
        {"same_net", {interface, interface}, {}},
        {"nets4", {address4}, {}, true},
        {"nets6", {address6}, {}, true},
        {"same_sub4", {address4, address4}, {}, true},
        {"same_sub6", {address6, address6}, {}, true},
        {"pub4", {address4, protocol, port}, {address4, port}},
        {"pub4_any", {protocol, port}, {address4, port}},
        {"pub6", {address6, protocol, port}, {address6, port}},
        {"pub6_any", {protocol, port}, {address6, port}},
        {"fwd6", {address6, protocol, port}, {}},
        {"fwd6_any", {protocol, port}, {}},
        {"taken_mac", {group, hardware}, {}, false, on_bridges},
        {"own_mac", {interface, hardware}, {}, false, on_bridges},
        {"taken4", {group, address4}, {}, false, on_bridges},
        {"own4", {interface, address4}, {}, false, on_bridges},
        {"taken6", {group, address6}, {}, false, on_bridges},
        {"own6", {interface, address6}, {}, false, on_bridges},
    };
    return list;
}

/// In a concatenation, where each begins at a word of four bytes.
std::uint32_t length_of(Field field) {
    switch (field) {
        case Field::address4:
        case Field::protocol:
        case Field::port:
        case Field::group:
            return 4;
        case Field::hardware:
            return 8;
        case Field::address6:
        case Field::interface:
            return 16;
    }
    return 0;
}

std::uint32_t length_of(const Fields& fields) {
    std::uint32_t length = 0;
    for (const auto field : fields)
        length += length_of(field);
    return length;
}

std::uint32_t type_of(const Fields& fields) {
    constexpr unsigned int bits_of_one = 6;
    std::uint32_t type = 0;
    for (const auto field : fields)
        type = type << bits_of_one | static_cast<std::uint32_t>(field);
    return type;
}

/// How its numbers are to be read (libnftnl's udata.h: NFTNL_UDATA_SET_KEYBYTEORDER, four bytes).
std::string byte_order_of(const Fields& key) {
    std::array<std::uint8_t, 6> bytes{0, 4};
    constexpr std::uint8_t host = 1;
    constexpr std::uint8_t network = 2;
    if (key.size() == 1)
        bytes[2] = key.front() == Field::interface ? host : network;
    return {bytes.begin(), bytes.end()};
}

sys::NftSet set_for(const SetDefinition& definition) {
    sys::NftSet set;
    set.name = definition.name;
    set.family = definition.family;
    set.key_type = type_of(definition.key);
    set.key_length = length_of(definition.key);
    set.data_type = type_of(definition.data);
    set.data_length = length_of(definition.data);
    if (!definition.data.empty())
        set.flags |= NFT_SET_MAP;
    if (definition.has_subnets)
        set.flags |= NFT_SET_INTERVAL;
    if (definition.has_subnets && definition.key.size() > 1) {
        set.flags |= NFT_SET_CONCAT;
        for (const auto field : definition.key)
            set.field_lengths.push_back(length_of(field));
    }
    set.user_data = byte_order_of(definition.key);
    return set;
}

std::string padded(std::string bytes, std::size_t length) {
    bytes.resize(length);
    return bytes;
}

std::string port_bytes(const std::string& text) {
    const auto number = parse_number<std::uint16_t>(text);
    if (!number)
        throw Error("\"" + text + "\" is no port");
    const std::uint16_t port = *number;
    const std::array<char, 2> bytes{static_cast<char>(port >> 8U), static_cast<char>(port & 0xffU)};
    return {bytes.begin(), bytes.end()};
}

char protocol_byte(const std::string& name) {
    for (const auto& [known, number] : {std::pair("tcp", IPPROTO_TCP),
                                        std::pair("udp", IPPROTO_UDP),
                                        std::pair("sctp", IPPROTO_SCTP)})
        if (name == known)
            return static_cast<char>(number);
    throw Error("\"" + name + "\" is no protocol");
}

std::string hardware_bytes(const std::string& text) {
    if (auto bytes = sys::parse_mac(text))
        return *bytes;
    throw Error("\"" + text + "\" is no hardware address");
}

/// As the kernel compares them: the machine's own number.
std::string group_bytes(const std::string& text) {
    const auto number = parse_number<std::uint32_t>(text);
    if (!number)
        throw Error("\"" + text + "\" is no group of links");
    std::string bytes(sizeof *number, '\0');
    std::memcpy(bytes.data(), &*number, sizeof *number);
    return bytes;
}

/// The bounds of a value: the first and the last that it stands for.
struct Range {
    std::string first;
    std::string last;
};

Range range_of(Field field, const std::string& text) {
    std::string bytes;
    if (field == Field::interface) {
        bytes = text;
    } else if (field == Field::port) {
        bytes = port_bytes(text);
    } else if (field == Field::protocol) {
        bytes = std::string(1, protocol_byte(text));
    } else if (field == Field::hardware) {
        bytes = hardware_bytes(text);
    } else if (field == Field::group) {
        bytes = group_bytes(text);
    } else if (const auto prefix = parse_prefix(text)) {
        return {std::string(bytes_of(first_address(*prefix))),
                std::string(bytes_of(last_address(*prefix)))};
    } else if (const auto address = parse_ip(text)) {
        bytes = bytes_of(*address);
    } else {
        throw Error("\"" + text + "\" is no address");
    }
    bytes = padded(std::move(bytes), length_of(field));
    return {bytes, bytes};
}

Range range_of(const Fields& fields, const std::string& text) {
    Range all;
    const auto parts = split(replace_all(text, " . ", "\n"), '\n');
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const Range one = range_of(fields[i], i < parts.size() ? parts[i] : "");
        all.first += one.first;
        all.last += one.last;
    }
    all.first.resize(length_of(fields));
    all.last.resize(length_of(fields));
    return all;
}

/// The number after it; "" after the last.
std::string successor(std::string bytes) {
    for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) {
        *at = static_cast<char>(*at + 1);
        if (*at != 0)
            return bytes;
    }
    return {};
}

void add_element(const SetDefinition& set, const std::string& text, sys::NftElements& to) {
    const auto parts = split(replace_all(text, " : ", "\n"), '\n');
    const Range key = range_of(set.key, parts.front());
    sys::NftElement element;
    element.key = key.first;
    if (parts.size() > 1)
        element.data = range_of(set.data, parts[1]).first;
    if (set.has_subnets && set.key.size() > 1)
        element.key_end = key.last;
    to.insert(element);
    if (!set.has_subnets || set.key.size() > 1)
        return;
    element.key = successor(key.last);
    element.belongs = false;
    if (!element.key.empty())
        to.insert(element);
}

}  // namespace

const std::vector<sys::NftSet>& table_sets() {
    static const std::vector<sys::NftSet> sets = [] {
        std::vector<sys::NftSet> list;
        for (const auto& definition : definitions())
            list.push_back(set_for(definition));
        return list;
    }();
    return sets;
}

sys::NftElements encode_elements(const std::string& set, const std::set<std::string>& elements) {
    const auto found = std::find_if(definitions().begin(),
                                    definitions().end(),
                                    [&](const auto& one) { return one.name == set; });
    sys::NftElements encoded;
    if (found != definitions().end())
        for (const auto& element : elements)
            add_element(*found, element, encoded);
    return encoded;
}

}  // namespace stack::network
