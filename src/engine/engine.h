#pragma once

// The real engine: composes images, storage, networks, cgroups, runtime and builder into the
// product's interface.

#include <stack/engine.h>
#include <stack/paths.h>

#include <memory>

namespace boost::asio {
class io_context;
}

namespace stack::engine {

/// An engine whose completions and wake-ups are called from `loop`, which must outlive it.
/// Containers that run already are watched from the first observe() on.
[[nodiscard]] std::unique_ptr<Engine> make_engine(boost::asio::io_context& loop,
                                                  const Paths& paths);

/// The program that runs one build: reads the request (JSON) from descriptor 3, writes events and
/// the result as JSON lines to standard output. `stack build-worker` is this.
int run_build_worker(const Paths& paths);

}  // namespace stack::engine
