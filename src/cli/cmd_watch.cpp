// watch

#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/options.h"
#include "cli/project.h"
#include "cli/watcher.h"

#include <chrono>

namespace stack::cli {
namespace {

struct Options {
    Strings services;
    bool no_up = false;
    bool prune = true;
    bool quiet = false;
};

Request up_request(const Stack& stack, const Strings& services) {
    Request request;
    request.verb = "up";
    request.stack = stack;
    request.up.services = services;
    request.up.build = true;  // what was edited before the watch began
    request.up.now = std::chrono::system_clock::now();
    return request;
}

void run(Context& context, const Options& options) {
    const Stack stack = load_project(context, {.named_services = options.services});
    check_services(options.services, stack);
    const Request request = up_request(stack, options.services);
    // What becomes of edits is known when they are made: this is what it begins with.
    if (const auto shown =
            options.no_up ? only_sentences(context, {}) : only_up(context, stack, request.up)) {
        context.exit_code = *shown;
        return;
    }
    require_root();
    const Quiet quiet{.pull = false, .build = options.quiet};
    Watcher watcher(context, stack, options.services, {quiet, options.prune});
    if (!options.no_up)
        context.exit_code = ask(context, stack, request, "Running", quiet);
    if (context.exit_code != 0)
        return;
    watcher.run({});
}

}  // namespace

void add_watch(CLI::App& app, Context& context) {
    const auto options = std::make_shared<Options>();
    app.add_option("SERVICE", options->services, "Only these services");
    app.add_flag("--no-up", options->no_up, "Do not build and start the services first");
    app.add_flag("--prune,!--no-prune",
                 options->prune,
                 "Remove the images that rebuilds have replaced (default true)");
    app.add_flag("--quiet", options->quiet, "Do not show the steps of builds");
    app.callback([&context, options] { run(context, *options); });
}

}  // namespace stack::cli
