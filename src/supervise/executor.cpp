#include "supervise/executor.h"

#include "base/failpoint.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

namespace stack::supervise {
namespace {

std::size_t most_at_once(int parallel) {
    constexpr std::size_t unless_asked = 64;
    if (parallel < 0)
        return std::numeric_limits<std::size_t>::max();
    return parallel == 0 ? unless_asked : static_cast<std::size_t>(parallel);
}

/// What it waits for may need what is yet to begin: it takes nobody's place.
bool only_waits(const Action& action) {
    return std::holds_alternative<AwaitHealthy>(action) ||
           std::holds_alternative<AwaitCompleted>(action);
}

/// What was there before is there no more then.
bool takes_away(const Action& action) {
    const std::string name = verb(action);
    return name == "stop" || name == "remove";
}

struct Words {
    const char* doing;
    const char* done;
};

/// docker compose's vocabulary (compose.md section 2 "Output contracts").
Words words(const Action& action) {
    const std::string name = verb(action);
    if (name == "pull")
        return {"Pulling", "Pulled"};
    if (name == "build")
        return {"Building", "Built"};
    if (name == "create")
        return {"Creating", "Created"};
    if (name == "start")
        return {"Starting", "Started"};
    if (name == "stop")
        return {"Stopping", "Stopped"};
    if (name == "remove")
        return {"Removing", "Removed"};
    if (name == "kill")
        return {"Killing", "Killed"};
    if (name == "pause")
        return {"Pausing", "Paused"};
    if (name == "unpause")
        return {"Unpausing", "Unpaused"};
    if (name == "update")
        return {"Updating", "Updated"};
    if (name == "await-healthy")
        return {"Waiting", "Healthy"};
    return {"Waiting", "Exited"};
}

/// What was thrown. One action that cannot even begin must not end the work on the others.
Outcome attempt(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error;
    }
    return {};
}

}  // namespace

Executor::Executor(
    Plan plan, Perform perform, EventSink events, std::function<void(bool)> finished, int parallel)
    : plan_(std::move(plan)),
      perform_(std::move(perform)),
      events_(std::move(events)),
      finished_(std::move(finished)),
      most_at_once_(most_at_once(parallel)),
      states_(plan_.actions.size(), State::waiting) {}

void Executor::start() {
    begin_ready();
}

void Executor::stop() {
    std::set<std::string> touched;
    for (std::size_t i = 0; i < states_.size(); ++i)
        if (takes_away(plan_.actions[i].action) &&
            (states_[i] == State::running || states_[i] == State::done))
            touched.insert(object(plan_.actions[i].action));
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Action& action = plan_.actions[i].action;
        if (states_[i] == State::waiting &&
            (only_waits(action) || !touched.contains(object(action))))
            states_[i] = State::left;
    }
    succeeded_ = false;
}

void Executor::begin_ready() {
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Action& action = plan_.actions[i].action;
        const auto& after = plan_.actions[i].after;
        if (states_[i] == State::waiting && (working_ < most_at_once_ || only_waits(action)) &&
            std::all_of(after.begin(), after.end(), [&](std::size_t earlier) {
                return states_[earlier] == State::done || states_[earlier] == State::left ||
                       (has_failed(earlier) && tolerates(plan_.actions[i], earlier));
            }))
            begin(i);
    }
    if (running_ == 0 && finished_)
        std::exchange(finished_, nullptr)(succeeded_);
}

void Executor::begin(std::size_t index) {
    states_[index] = State::running;
    const Action& action = plan_.actions[index].action;
    ++running_;
    if (!only_waits(action))
        ++working_;
    tell(index, EventStatus::working, words(action).doing, "");
    const Outcome refused = attempt([&] {
        STACK_FAILPOINT(("action." + verb(action) + ".before").c_str());
        perform_(action, events_, [self = shared_from_this(), index](const Outcome& outcome) {
            const Outcome broken = attempt([&] {
                STACK_FAILPOINT(
                    ("action." + verb(self->plan_.actions[index].action) + ".after").c_str());
            });
            self->end(index, outcome ? outcome : broken);
        });
    });
    if (refused)
        end(index, refused);
}

void Executor::end(std::size_t index, const Outcome& outcome) {
    const auto& planned = plan_.actions[index];
    --running_;
    if (!only_waits(planned.action))
        --working_;
    if (!outcome) {
        states_[index] = State::done;
        tell(index, EventStatus::done, words(planned.action).done, "");
    } else {
        states_[index] = State::failed;
        succeeded_ = succeeded_ && planned.optional;
        tell(index,
             planned.optional ? EventStatus::warning : EventStatus::error,
             planned.optional ? "Warning" : "Error",
             outcome->what());
        skip_dependents(index);
    }
    begin_ready();
}

/// It will not be done any more.
bool Executor::has_failed(std::size_t index) const {
    return states_[index] == State::failed || states_[index] == State::skipped;
}

void Executor::skip_dependents(std::size_t index) {
    for (std::size_t i = index + 1; i < states_.size(); ++i) {
        const auto& after = plan_.actions[i].after;
        if (states_[i] == State::waiting &&
            std::any_of(after.begin(), after.end(), [&](std::size_t earlier) {
                return has_failed(earlier) && !tolerates(plan_.actions[i], earlier);
            }))
            states_[i] = State::skipped;
    }
}

void Executor::tell(std::size_t index,
                    EventStatus status,
                    const std::string& text,
                    const std::string& detail) const {
    events_({.id = object(plan_.actions[index].action),
             .status = status,
             .text = text,
             .detail = detail});
}

}  // namespace stack::supervise
