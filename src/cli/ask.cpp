#include "cli/ask.h"

#include "cli/progress.h"
#include "sys/terminal.h"

namespace stack::cli {

int ask(const Context& context, const Stack& stack, const Request& what, const std::string& title) {
    require_root();
    const auto progress = make_progress(context.globals, title);
    const int status = request(
        context.paths, stack.name, what, [&](const Event& event) { progress->show(event); });
    progress->finish();
    return status;
}

bool only_plan(const Context& context, const Plan& plan) {
    if (!context.globals.dry_run)
        return false;
    sys::write_out(to_text(plan));
    return true;
}

}  // namespace stack::cli
