#pragma once

// The supervisor's process.

#include <stack/engine.h>
#include <stack/paths.h>

#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace stack {

using MakeEngine = std::function<std::unique_ptr<Engine>(boost::asio::io_context&)>;

/// Supervises `project` until it has nothing left, or SIGTERM: then containers go on without. Where
/// another supervisor of the project lives, returns at once. `ready_fd` (-1: none) is told when
/// requests are taken (ready_word), or why they never will be.
int run_supervisor(const Paths& paths,
                   const std::string& project,
                   const MakeEngine& make_engine,
                   int ready_fd);

}  // namespace stack
