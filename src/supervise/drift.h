#pragma once

// What became another than the last command left it, and nobody asked for it: which request of our
// own puts it right.

#include <stack/paths.h>
#include <stack/supervise.h>

#include "supervise/desired.h"
#include "supervise/timers.h"

#include <optional>
#include <string>

namespace stack::supervise {

class Drift {
  public:
    Drift(Timers& timers, Paths paths, std::string project);

    /// Takes up what the one before has written down.
    void adopt();

    /// A command begins, and `desired` is what is wanted with it: where it may leave less of what
    /// it is for, nothing is missed of that until it is known what it has left. What somebody has
    /// taken away of other services, or takes away meanwhile, is missed all the same.
    void forget(const Request& request, const Stack& desired);

    /// What lives now by its restart policy is what a person has left to live; of services that no
    /// command was for, what lived before, too.
    void note(const Stack& desired, const Observed& observed);

    /// A container that somebody took away by hand comes back.
    [[nodiscard]] std::optional<Request> replacement(const Stack& desired,
                                                     const Observed& observed) const;

    /// How that has ended.
    void replaced(bool succeeded);

    /// Who lost the container that it shares a namespace with, and nobody saw it, or while another
    /// one of that service lived on. Not again at once, whatever comes of it.
    [[nodiscard]] std::optional<Request> rescue(const Stack& desired, const Observed& observed);

  private:
    Timers& timers_;
    Paths paths_;
    std::string project_;
    Kept kept_;
    Moment next_replacement_{};
    Moment next_rescue_{};
};

}  // namespace stack::supervise
