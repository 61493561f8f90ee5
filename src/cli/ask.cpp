#include "cli/ask.h"

#include "cli/progress.h"
#include "sys/terminal.h"

#include <memory>
#include <set>
#include <string>

namespace stack::cli {

namespace {

/// Keeps back what is not to be shown. Errors always are.
class Hush {
  public:
    explicit Hush(const Quiet& quiet) : quiet_(quiet) {}

    bool hides(const Event& event) {
        if (event.text == "Building")
            builds_.insert(event.id);
        if (event.parent.empty() || event.status == EventStatus::error)
            return false;
        return builds_.contains(event.parent) ? quiet_.build : quiet_.pull;
    }

  private:
    Quiet quiet_;
    std::set<std::string> builds_;  // ids of images
};

}  // namespace

EventSink hushed(const Quiet& quiet, EventSink events) {
    const auto hush = std::make_shared<Hush>(quiet);
    return [hush, events = std::move(events)](const Event& event) {
        if (!hush->hides(event))
            events(event);
    };
}

int ask(const Context& context,
        const Stack& stack,
        Request what,
        const std::string& title,
        const Quiet& quiet,
        const std::stop_token& stop) {
    require_root();
    what.parallel = context.globals.parallel;
    const auto progress = make_progress(context.globals, title);
    const auto show = [&](const Event& event) { progress->show(event); };
    const int status = request(context.paths, stack.name, what, hushed(quiet, show), stop);
    progress->finish();
    return status;
}

std::optional<int> only_plan(const Context& context, const Plan& plan) {
    if (!context.globals.dry_run)
        return std::nullopt;
    sys::write_out(to_text(plan));
    constexpr int changes = 2;
    return !plan.errors.empty() ? 1 : plan.actions.empty() ? 0 : changes;
}

}  // namespace stack::cli
