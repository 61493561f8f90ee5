#pragma once

// Walks a plan: whatever has nothing left to wait for is begun; a failure stops what depends on its
// success and nothing else. Carries no decision of its own.

#include <stack/engine.h>
#include <stack/events.h>
#include <stack/plan.h>

#include <functional>
#include <memory>
#include <vector>

namespace stack::supervise {

/// Does one action; calls its completion later, never from inside.
using Perform = std::function<void(const Action&, const EventSink&, Done)>;

class Executor : public std::enable_shared_from_this<Executor> {
  public:
    /// `finished` gets whether every action succeeded, optional ones aside. `parallel` as
    /// Request::parallel.
    Executor(Plan plan,
             Perform perform,
             EventSink events,
             std::function<void(bool)> finished,
             int parallel = 0);

    void start();

    /// Begins nothing more, and has not succeeded then. Only what it has taken away from is brought
    /// to its end: a container that was stopped to be made anew is made, and started.
    void stop();

  private:
    // left: untouched at a stop, and as it was for whoever comes after it.
    enum class State { waiting, running, done, failed, skipped, left };

    void begin_ready();
    void begin(std::size_t index);
    void end(std::size_t index, const Outcome& outcome);
    void skip_dependents(std::size_t index);
    [[nodiscard]] bool has_failed(std::size_t index) const;
    void tell(std::size_t index,
              EventStatus status,
              const std::string& text,
              const std::string& detail) const;

    Plan plan_;
    Perform perform_;
    EventSink events_;
    std::function<void(bool)> finished_;
    std::size_t most_at_once_;
    std::vector<State> states_;
    std::size_t running_ = 0;
    std::size_t working_ = 0;  // those of the running that do more than wait
    bool succeeded_ = true;
};

}  // namespace stack::supervise
