#pragma once

// DNS messages for tests, by hand: the code under test must not check itself.

#include <cstdint>
#include <string>
#include <vector>

namespace stack::test {

struct QuestionOptions {
    std::uint16_t id = 0x1234;
    std::uint16_t flags = 0x0100;  // recursion desired
    std::uint16_t type = 1;
    std::uint16_t edns_size = 0;  // 0: no OPT record
};

/// A question in wire format.
[[nodiscard]] std::string question(const std::string& name, const QuestionOptions& options = {});

/// A response as text: `NOERROR aa tc A 10.0.0.2 AAAA fd00::2 PTR name`, records in sorted order.
[[nodiscard]] std::string response_text(const std::string& response);

/// What an upstream server would say: the question's header as a response, with one A record.
[[nodiscard]] std::string upstream_response(const std::string& query, const std::string& address);

}  // namespace stack::test
