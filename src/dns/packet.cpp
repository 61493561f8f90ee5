#include "dns/packet.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace stack::dns {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t longest_name = 255;  // RFC 1035 section 2.3.4, with its length bytes
constexpr std::size_t longest_label = 63;
constexpr std::size_t smallest_udp = 512;  // RFC 1035 section 2.3.4
// Larger ones are cut into fragments on common links, and fragments get lost (DNS flag day 2020).
constexpr std::size_t largest_udp = 1232;

constexpr std::uint16_t type_opt = 41;
constexpr std::uint16_t class_internet = 1;

constexpr std::uint16_t flag_response = 0x8000;
constexpr std::uint16_t flag_authoritative = 0x0400;
constexpr std::uint16_t flag_truncated = 0x0200;
constexpr std::uint16_t flag_recursion_desired = 0x0100;
constexpr std::uint16_t flag_recursion_available = 0x0080;

/// A pointer to the name in the question, which always begins behind the header (RFC 1035
/// section 4.1.4).
constexpr std::uint16_t question_name = 0xc000U | header_size;

std::uint8_t byte_at(std::string_view packet, std::size_t offset) {
    return static_cast<std::uint8_t>(packet[offset]);
}

/// The caller has made sure that two bytes are there.
std::uint16_t number_at(std::string_view packet, std::size_t offset) {
    return static_cast<std::uint16_t>(byte_at(packet, offset) << 8U | byte_at(packet, offset + 1));
}

void put_number(std::string& packet, std::uint16_t value) {
    packet.push_back(static_cast<char>(value >> 8U));
    packet.push_back(static_cast<char>(value & 0xffU));
}

void put_long(std::string& packet, std::uint32_t value) {
    put_number(packet, static_cast<std::uint16_t>(value >> 16U));
    put_number(packet, static_cast<std::uint16_t>(value & 0xffffU));
}

void append_label(std::string& name, std::string_view label) {
    if (!name.empty())
        name.push_back('.');
    for (const char c : label) {
        const bool plain = c > ' ' && c < 127 && c != '.' && c != '\\';
        std::array<char, 5> escaped{};
        std::snprintf(escaped.data(), escaped.size(), "\\%03u", static_cast<unsigned char>(c));
        name += plain ? std::string(1, c) : std::string(escaped.data());
    }
}

/// Reads a name without pointers, and moves `offset` behind it.
std::optional<std::string> parse_name(std::string_view packet, std::size_t& offset) {
    std::string name;
    const std::size_t start = offset;
    while (offset < packet.size()) {
        const std::size_t length = byte_at(packet, offset++);
        if (length == 0)
            return to_lower(name);
        if (length > longest_label || offset + length > packet.size() ||
            offset + length - start >= longest_name)
            return std::nullopt;
        append_label(name, packet.substr(offset, length));
        offset += length;
    }
    return std::nullopt;
}

/// Finds the OPT record, where the one additional record is it.
void read_edns(std::string_view packet, Query& query) {
    constexpr std::size_t record_size = 11;  // root name, type, class, TTL, length
    const std::size_t offset = query.question_end;
    if (number_at(packet, 10) == 0 || packet.size() < offset + record_size ||
        packet[offset] != '\0' || number_at(packet, offset + 1) != type_opt)
        return;
    query.edns = true;
    query.udp_size =
        std::clamp<std::size_t>(number_at(packet, offset + 3), smallest_udp, largest_udp);
}

std::string address_record(const IpAddress& address, std::uint32_t ttl) {
    std::string record;
    put_number(record, question_name);
    put_number(record, address.family == Family::v4 ? type_a : type_aaaa);
    put_number(record, class_internet);
    put_long(record, ttl);
    put_number(record, static_cast<std::uint16_t>(byte_count(address.family)));
    return record.append(bytes_of(address));
}

std::string pointer_record(const std::string& name, std::uint32_t ttl) {
    std::string data;
    for (const auto& label : split(name, '.')) {
        data.push_back(static_cast<char>(std::min(label.size(), longest_label)));
        data += label.substr(0, longest_label);
    }
    data.push_back('\0');
    std::string record;
    put_number(record, question_name);
    put_number(record, type_ptr);
    put_number(record, class_internet);
    put_long(record, ttl);
    put_number(record, static_cast<std::uint16_t>(data.size()));
    return record + data;
}

std::string edns_record() {
    std::string record(1, '\0');
    put_number(record, type_opt);
    put_number(record, largest_udp);
    put_long(record, 0);
    put_number(record, 0);
    return record;
}

std::vector<std::string> records_for(const Query& query, const Answer& answer) {
    std::vector<std::string> records;
    for (const auto& address : answer.addresses) {
        const std::uint16_t type = address.family == Family::v4 ? type_a : type_aaaa;
        if (query.type == type || query.type == type_any)
            records.push_back(address_record(address, answer.ttl));
    }
    if (!answer.pointer.empty())
        records.push_back(pointer_record(answer.pointer, answer.ttl));
    return records;
}

std::optional<IpAddress> parse_reverse_ip6(std::vector<std::string> digits) {
    constexpr std::size_t digit_count = 32;
    std::reverse(digits.begin(), digits.end());
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (digits[i].size() != 1)
            return std::nullopt;
        text += digits[i];
        if (i % 4 == 3 && i + 1 < digits.size())
            text += ':';
    }
    return digits.size() == digit_count ? parse_ip(text) : std::nullopt;
}

}  // namespace

std::optional<Query> parse_query(std::string_view packet) {
    if (packet.size() < header_size)
        return std::nullopt;
    Query query;
    query.id = number_at(packet, 0);
    query.flags = number_at(packet, 2);
    const bool one_question = number_at(packet, 4) == 1;
    if ((query.flags & flag_response) != 0 || !one_question || number_at(packet, 6) != 0)
        return std::nullopt;
    std::size_t offset = header_size;
    auto name = parse_name(packet, offset);
    if (!name || packet.size() < offset + 4)
        return std::nullopt;
    query.name = std::move(*name);
    query.type = number_at(packet, offset);
    query.record_class = number_at(packet, offset + 2);
    query.question_end = offset + 4;
    read_edns(packet, query);
    return query;
}

std::string compose_answer(std::string_view packet,
                           const Query& query,
                           const Answer& answer,
                           std::size_t limit) {
    const auto records = records_for(query, answer);
    const std::string extra = query.edns ? edns_record() : "";
    std::string body;
    std::uint16_t fitting = 0;
    for (const auto& record : records) {
        if (query.question_end + body.size() + record.size() + extra.size() > limit)
            break;
        body += record;
        ++fitting;
    }
    unsigned flags = flag_response | flag_authoritative | flag_recursion_available;
    flags |= query.flags & (flag_recursion_desired | 0x7800U);
    flags |= fitting < records.size() ? flag_truncated : 0U;
    std::string reply;
    put_number(reply, query.id);
    put_number(reply, static_cast<std::uint16_t>(flags | static_cast<unsigned>(answer.status)));
    put_number(reply, 1);
    put_number(reply, fitting);
    put_number(reply, 0);
    put_number(reply, query.edns ? 1 : 0);
    reply += packet.substr(header_size, query.question_end - header_size);
    return reply + body + extra;
}

std::uint16_t message_id(std::string_view packet) {
    return packet.size() < 2 ? std::uint16_t{0} : number_at(packet, 0);
}

void set_message_id(std::string& packet, std::uint16_t id) {
    if (packet.size() < 2)
        return;
    packet[0] = static_cast<char>(id >> 8U);
    packet[1] = static_cast<char>(id & 0xffU);
}

bool answers(std::string_view response, std::string_view query) {
    const auto asked = parse_query(query);
    if (!asked || response.size() < header_size || message_id(response) != asked->id ||
        (number_at(response, 2) & flag_response) == 0)
        return false;
    // A server that cannot even read the question returns the header alone.
    if (number_at(response, 4) == 0)
        return response.size() == header_size;
    std::size_t offset = header_size;
    const auto name = parse_name(response, offset);
    return name == asked->name && response.size() >= offset + 4 &&
           response.substr(offset, 4) == query.substr(asked->question_end - 4, 4);
}

std::optional<IpAddress> parse_reverse_name(std::string_view name) {
    constexpr std::string_view ending4 = ".in-addr.arpa";
    constexpr std::string_view ending6 = ".ip6.arpa";
    if (name.ends_with(ending6))
        return parse_reverse_ip6(split(name.substr(0, name.size() - ending6.size()), '.'));
    if (!name.ends_with(ending4))
        return std::nullopt;
    auto parts = split(name.substr(0, name.size() - ending4.size()), '.');
    std::reverse(parts.begin(), parts.end());
    const auto address = parse_ip(join(parts, "."));
    return address && address->family == Family::v4 ? address : std::nullopt;
}

}  // namespace stack::dns
