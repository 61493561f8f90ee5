#pragma once

// A supervisor of a stack "shop" over the fake engine and the fake clock.

#include "supervise/supervisor.h"
#include "tests/supervise/fake_clock.h"
#include "tests/support/fake_engine.h"

#include <memory>
#include <vector>

namespace stack::test {

class Household {
  public:
    Household();
    ~Household();
    Household(const Household&) = delete;
    Household& operator=(const Household&) = delete;

    /// A service of the stack, from an image that is there, restarted always.
    Service& add(const std::string& name);

    /// Carries a request out to its end; returns its exit code. -1: it has no end yet.
    int ask(Request request);
    int up(PlanOptions options = {});
    int down();
    /// Whoever asked last goes away before there is an answer.
    void leave();

    /// Lets everything happen that needs no time.
    void settle();
    void pass(Duration time);

    /// kill -9, and the next one takes over.
    void replace_supervisor();

    [[nodiscard]] ObservedContainer* find(const std::string& container);
    /// "State" of a container: absent, created, running, paused, exited.
    [[nodiscard]] std::string state(const std::string& container);

    [[nodiscard]] bool is_over() const { return supervisor_->is_over(); }

    Stack stack;
    FakeClock clock;
    FakeEngine engine;
    std::vector<Event> events;

  private:
    std::string directory_;
    std::unique_ptr<supervise::Supervisor> supervisor_;
    supervise::Supervisor::Ticket asked_{};
};

}  // namespace stack::test
