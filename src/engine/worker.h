#pragma once

// A process that does one piece of work for the engine and reports in JSON lines on its standard
// output.

#include <stack/events.h>

#include "sys/process.h"

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace stack::engine {

/// Reads `output` to its end without blocking `loop`: calls `on_line` for each line, then, once the
/// process has been reaped, `on_end` with its status (as a shell has it). A line longer than 1 MiB
/// is cut there.
void read_worker(boost::asio::io_context& loop,
                 sys::Child worker,
                 sys::Fd output,
                 std::function<void(const std::string&)> on_line,
                 std::function<void(int)> on_end);

/// Reads `input` to its end (at most 64 KiB are kept), then calls `on_end`.
void read_to_end(boost::asio::io_context& loop,
                 sys::Fd input,
                 std::function<void(std::string)> on_end);

}  // namespace stack::engine
