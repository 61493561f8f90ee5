#pragma once

// The log for developers; what users are told are events and errors. One line: time level message.
//
// Off unless STACK_LOG is debug, info, warn or error; it goes to standard error. Whoever handles a
// failure logs it, once; a survived failure ends in ", ignoring".

#include <string_view>

namespace stack::log {

void debug(std::string_view message);
void info(std::string_view message);
void warn(std::string_view message);
void error(std::string_view message);

}  // namespace stack::log
