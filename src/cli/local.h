#pragma once

// The engine inside this process, for commands that look, and for those on images and single
// containers.

#include <stack/engine.h>

#include "cli/context.h"

#include <memory>

namespace stack::cli {

class LocalEngine {
  public:
    /// Throws where this process may not even look.
    explicit LocalEngine(const Paths& paths);
    ~LocalEngine();
    LocalEngine(const LocalEngine&) = delete;
    LocalEngine& operator=(const LocalEngine&) = delete;

    [[nodiscard]] Observed observe(const Stack& stack, const ObserveOptions& options = {});
    /// Does the actions one after another; stops at the first that fails.
    Outcome perform(const std::vector<Action>& actions, const EventSink& events);

    /// Does what is planned, as the supervisor of a project would; the errors go to `events`.
    /// Whether all of it succeeded. `parallel` as Request::parallel.
    bool carry_out(Plan plan, const EventSink& events, int parallel = 0);

    /// Runs a command inside a running container to its end.
    [[nodiscard]] ProbeResult run_hook(const std::string& container, const Hook& hook);

    [[nodiscard]] Engine& engine() { return *engine_; }

  private:
    struct Loop;
    Paths paths_;
    std::unique_ptr<Loop> loop_;
    std::unique_ptr<Engine> engine_;
};

/// Marks those that their supervisor is about to start again.
void note_restarting(const Paths& paths, std::vector<ObservedContainer>& containers);

/// The containers of `observed` that belong to the named services (all where none is named), by
/// name. Gives up with a sentence where a service is neither in the stack nor has a container.
[[nodiscard]] std::vector<ObservedContainer> containers_of(const Stack& stack,
                                                           const Observed& observed,
                                                           const Strings& services,
                                                           bool with_oneoff = false);

/// The running container `index` of a service (0: the first). Gives up with a sentence where there
/// is none.
[[nodiscard]] ObservedContainer running_container(const Stack& stack,
                                                  const Observed& observed,
                                                  const std::string& service,
                                                  int index);

}  // namespace stack::cli
