#pragma once

// What client and supervisor say to each other: JSON, one object a line.
//
//   client:      the request
//   supervisor:  events, then {"result": {"exit": 0}}

#include <stack/events.h>
#include <stack/supervise.h>

#include <optional>
#include <string>

namespace stack::supervise {

/// What a supervisor that takes requests says to whoever started it. Another word is why it does
/// not.
inline constexpr const char* ready_word = "r";

/// In the project's run directory.
inline constexpr const char* socket_name = "supervisor.sock";
inline constexpr const char* log_name = "supervisor.log";
inline constexpr const char* pid_name = "supervisor.pid";  // "<pid> <start time> <version>"

/// A longer line ends the connection.
inline constexpr std::size_t longest_line = 64U << 20U;

[[nodiscard]] std::string encode_request(const Request& request);
/// Throws stack::Error where `line` is no request.
[[nodiscard]] Request decode_request(const std::string& line);

[[nodiscard]] std::string encode_result(int exit);

struct ServerLine {
    std::optional<Event> event;
    std::optional<int> exit;
};

[[nodiscard]] ServerLine decode_server_line(const std::string& line);

}  // namespace stack::supervise
