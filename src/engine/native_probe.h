#pragma once

// One run of a health check that starts no process: a question over TCP or HTTP/1.1.

#include <stack/engine.h>

#include "model/native_probe.h"
#include "sys/fd.h"

#include <boost/asio/io_context.hpp>

namespace stack::engine {

/// Asks `probe` through `socket`, which is of its address's family and non-blocking, and calls
/// `done` from the loop: exit code 0 for a connection, or a status from 200 to 399 where it is HTTP
/// (redirections are not followed), 1 otherwise, with what came of it as output.
void ask(boost::asio::io_context& loop,
         sys::Fd socket,
         const NativeProbe& probe,
         Duration timeout,
         ProbeDone done);

}  // namespace stack::engine
