#pragma once

// Shows events on standard error, or on standard output where COMPOSE_STATUS_STDOUT has it so: rows
// that update in place on a terminal, plain lines elsewhere, JSON lines for programs.

#include <stack/events.h>

#include "cli/context.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace stack::cli {

class Progress {
  public:
    virtual ~Progress() = default;
    virtual void show(const Event& event) = 0;
    /// Leaves the last picture standing. What went wrong is said again, whole, below it.
    virtual void finish() = 0;
};

/// A sentence where progress is shown.
void tell_status(const std::string& sentence);

/// By --progress and what the stream is that it goes to. `title` heads the rows on a terminal:
/// "Running", "Stopping", "Pulling".
[[nodiscard]] std::unique_ptr<Progress> make_progress(const Globals& globals,
                                                      const std::string& title);

}  // namespace stack::cli
