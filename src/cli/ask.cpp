#include "cli/ask.h"

#include "cli/progress.h"
#include "cli/project.h"
#include "supervise/desired.h"
#include "supervise/origin.h"
#include "sys/terminal.h"

#include <map>
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
    what.named_by_hand = what.stack && is_named_by_hand(context);
    const auto progress = make_progress(context.globals, title);
    const auto show = [&](const Event& event) { progress->show(event); };
    const int status = request(context.paths, stack.name, what, hushed(quiet, show), stop);
    progress->finish();
    return status;
}

Plan as_supervised(const Context& context, const Stack& stack, Plan plan) {
    const auto before = supervise::load_desired(context.paths, stack.name);
    return before
               ? supervise::with_origin(std::move(plan), *before, stack, is_named_by_hand(context))
               : plan;
}

namespace {

using Render = std::string (*)(const Plan&);

const std::map<std::string, Render>& renderings() {
    static const std::map<std::string, Render> all{
        {"text", static_cast<Render>(to_text)},
        {"json", [](const Plan& plan) { return to_json_text(plan) + "\n"; }},
        {"dot", to_dot},
        {"mermaid", to_mermaid},
        {"svg", to_svg},
    };
    return all;
}

}  // namespace

const Strings& plan_formats() {
    static const Strings names = [] {
        Strings all;
        for (const auto& [name, render] : renderings())
            all.push_back(name);
        return all;
    }();
    return names;
}

int show_plan(const Plan& plan, const std::string& format) {
    sys::write_out(renderings().at(format)(plan));
    constexpr int changes = 2;
    return !plan.errors.empty() ? 1 : plan.actions.empty() ? 0 : changes;
}

std::optional<int> only_plan(const Context& context, const Plan& plan) {
    if (!context.globals.dry_run)
        return std::nullopt;
    return show_plan(plan, context.globals.dry_run_format);
}

}  // namespace stack::cli
