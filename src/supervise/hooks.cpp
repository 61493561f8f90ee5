#include "supervise/hooks.h"

#include "base/text.h"

#include <utility>

namespace stack::supervise {
namespace {

Error failure(const HookRun& what, const Hook& hook, const ProbeResult& result) {
    const std::string said = std::string(trim(result.output));
    return Error(std::make_error_code(std::errc::io_error),
                 "hook exited with status " + std::to_string(result.exit_code) + ": " + what.name +
                     " of container " + what.container + " (" + join(hook.command, " ") + ")" +
                     (said.empty() ? ", which said nothing" : ", which said: " + said));
}

}  // namespace

void Hooks::run(HookRun what, Done done) {
    const auto run = std::make_shared<Run>(Run{std::move(what), std::move(done)});
    running_.insert(run);
    proceed(run);
}

void Hooks::proceed(const std::shared_ptr<Run>& run) {
    if (run->next == run->what.hooks.size()) {
        finish(run, std::nullopt);
        return;
    }
    const Hook& hook = run->what.hooks[run->next];
    try {
        engine_.run_hook(run->what.container, hook, [this, run, &hook](const ProbeResult& result) {
            if (!running_.contains(run))
                return;  // abandoned
            if (result.exit_code != 0) {
                finish(run, failure(run->what, hook, result));
                return;
            }
            ++run->next;
            proceed(run);
        });
    } catch (const Error& error) {
        const bool is_gone = error.code() == std::errc::no_such_process;
        finish(run, is_gone && run->what.name == "pre_stop" ? Outcome() : error);
    }
}

/// From the loop: a completion never comes from inside the call that it completes.
void Hooks::finish(const std::shared_ptr<Run>& run, Outcome outcome) {
    running_.erase(run);
    timers_.post([done = std::move(run->done), outcome = std::move(outcome)] { done(outcome); });
}

void Hooks::abandon(const std::string& reason) {
    for (const auto& run : std::exchange(running_, {}))
        finish(run,
               Error(std::make_error_code(std::errc::operation_canceled),
                     "gave up waiting for the " + run->what.name + " hooks of container " +
                         run->what.container + ": " + reason));
}

}  // namespace stack::supervise
