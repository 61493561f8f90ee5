#include "cli/session.h"

#include <stack/error.h>

#include "cli/local_runtime.h"
#include "cli/progress.h"
#include "sys/poll.h"
#include "sys/terminal.h"

#include <algorithm>
#include <future>

namespace stack::cli {
namespace {

/// The start under way, beside the client that the container waits for.
class PendingStart {
  public:
    PendingStart(const Context& context, const Session& session)
        : progress_(session.quiet ? nullptr : make_progress(context.globals, "Running")),
          container_("Container " + session.container) {
        // Blocked in the new thread: they come to the one that passes them on to the container.
        const sys::SignalWatch kept_from_it(Attachment::signals);
        answer_ = std::async(std::launch::async,
                             [this, start = session.start] { return carry_out(start); });
    }

    /// Returns when the container is about to start, or never will: whether it is there, and ours.
    bool await_start() { return about_to_start_.get_future().get(); }

    [[nodiscard]] bool is_over() const {
        return answer_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    }

    /// Whether the container was started. What went wrong has been said then.
    bool succeeded() {
        const bool success = answer_.get() == 0;
        for (const auto& sentence : failures_)
            sys::write_err("stack: " + sentence + "\n");
        return success;
    }

  private:
    int carry_out(const std::function<int(const EventSink&)>& start) {
        int status = 1;
        try {
            status = start([this](const Event& event) { show(event); });
        } catch (...) {
            leave_terminal(false);
            throw;
        }
        leave_terminal(false);
        return status;
    }

    void show(const Event& event) {
        if (!left_ && progress_)
            progress_->show(event);
        else if (event.status == EventStatus::error)
            failures_.push_back(event.detail);
        if (event.id == container_ && event.text == "Starting")
            leave_terminal(true);
    }

    /// The terminal is the container's from now on.
    void leave_terminal(bool starts) {
        if (std::exchange(left_, true))
            return;
        if (progress_)
            progress_->finish();
        about_to_start_.set_value(starts);
    }

    std::unique_ptr<Progress> progress_;  // none: quiet
    std::string container_;
    bool left_ = false;
    Strings failures_;
    std::promise<bool> about_to_start_;
    std::future<int> answer_;  // last: its end is awaited before the others go
};

sys::Fd connect(const runtime::Runtime& runtime,
                const std::string& id,
                const PendingStart& pending) {
    // Most shims listen within a few milliseconds; one whose volumes are filled first may take
    // minutes. What is waited in vain is a fraction of what was waited.
    constexpr std::chrono::microseconds longest{2000};
    std::chrono::microseconds between{100};
    while (!pending.is_over()) {
        if (sys::Fd shim = runtime.attach(id))
            return shim;
        sys::pause(between);
        between = std::min(between + between / 4, longest);
    }
    return runtime.attach(id);
}

}  // namespace

int attach_to(const Context& context,
              const ObservedContainer& container,
              AttachmentOptions options) {
    const LocalRuntime runtime(context.paths);
    sys::Fd shim = runtime.get().attach(container.id);
    if (!shim)
        give_up("container " + container.name +
                " has no shim that could attach you to it: it has just ended, or its shim died");
    const AttachEnd end = Attachment(std::move(shim), std::move(options)).run();
    if (end.detached)
        return 0;
    if (end.signal != 0)
        return signal_status_base + end.signal;
    if (!end.status)
        give_up("container " + container.name +
                " does not speak to you any more: you read too slowly, or its shim died");
    runtime.get().await_end(container.id);
    return *end.status;
}

void await_removal(const Context& context, const std::string& id) {
    const LocalRuntime runtime(context.paths);
    constexpr std::chrono::milliseconds between{5};
    constexpr int tries = 2000;
    for (int i = 0; i < tries && runtime.get().find(id); ++i)
        sys::pause(between);
}

int run_session(const Context& context, Session session) {
    const LocalRuntime runtime(context.paths);
    PendingStart pending(context, session);
    // Where it cannot be made, its name may be another's.
    const auto record = pending.await_start() ? runtime.get().find(session.container) : nullptr;
    sys::Fd shim = record ? connect(runtime.get(), record->id, pending) : sys::Fd();
    AttachEnd end;
    if (shim)
        end = Attachment(std::move(shim), std::move(session.attach)).run();
    const bool started = pending.succeeded();
    if (end.detached)
        return 0;
    if (end.signal != 0)
        return signal_status_base + end.signal;
    if (record && end.status) {
        runtime.get().await_end(record->id);
        session.ended(record->id);
    } else if (started) {
        give_up("container " + session.container +
                " does not speak to you any more: its shim died; see its state with `ps -a`");
    }
    return end.status.value_or(session.failure);
}

}  // namespace stack::cli
