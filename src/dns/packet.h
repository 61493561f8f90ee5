#pragma once

// DNS messages (RFC 1035, EDNS0 of RFC 6891) as far as a name service of containers needs them: one
// question in, one answer out. Pure; the bytes come from anybody.

#include "base/ip.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::dns {

inline constexpr std::uint16_t type_a = 1;
inline constexpr std::uint16_t type_ptr = 12;
inline constexpr std::uint16_t type_aaaa = 28;
inline constexpr std::uint16_t type_any = 255;

enum class Status : std::uint8_t {
    no_error = 0,
    server_failure = 2,
    name_error = 3,
    not_implemented = 4,
    refused = 5,
};

/// A question with what its answer needs of it.
struct Query {
    std::uint16_t id = 0;
    std::uint16_t flags = 0;
    std::string
        name;  // lower case, without the final dot; bytes that no host name has are written as \DDD
    std::uint16_t type = 0;
    std::uint16_t record_class = 0;
    std::size_t question_end = 0;  // offset behind the question
    bool edns = false;
    std::size_t udp_size = 512;  // what the asker takes in one datagram

    [[nodiscard]] bool is_standard() const { return (flags & 0x7800U) == 0; }
};

/// nullopt for what is no question of exactly one name: answers, garbage, pointers in the question.
[[nodiscard]] std::optional<Query> parse_query(std::string_view packet);

struct Answer {
    Status status = Status::no_error;
    std::vector<IpAddress> addresses;  // those of the asked family become records
    std::string pointer;               // the name of a PTR record; empty: none
    std::uint32_t ttl = 0;             // seconds
};

/// The answer to `query`, which was parsed from `packet`; the question is repeated as it was
/// written. Records that do not fit into `limit` bytes are left out, and the answer is marked as
/// truncated.
[[nodiscard]] std::string compose_answer(std::string_view packet,
                                         const Query& query,
                                         const Answer& answer,
                                         std::size_t limit);

/// The identifier of a message; 0 where it is too short to have one.
[[nodiscard]] std::uint16_t message_id(std::string_view packet);
void set_message_id(std::string& packet, std::uint16_t id);

/// Whether `response` answers the question that `query` (the bytes sent) asks.
[[nodiscard]] bool answers(std::string_view response, std::string_view query);

/// The address that a name such as `2.3.210.10.in-addr.arpa` is about.
[[nodiscard]] std::optional<IpAddress> parse_reverse_name(std::string_view name);

}  // namespace stack::dns
