// attach

#include "cli/attachment.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/target.h"

namespace stack::cli {
namespace {

struct Options {
    Target target;
    bool no_input = false;
    bool proxy_signals = true;
    std::string detach_keys = default_detach_keys;
};

AttachmentOptions attachment_options(const Service& service, const Options& options) {
    AttachmentOptions attach;
    attach.terminal = service.tty;
    attach.input = service.stdin_open && !options.no_input;
    attach.proxy_signals = options.proxy_signals && !service.tty;
    attach.detach_keys = detach_keys(options.detach_keys);
    return attach;
}

void declare(CLI::App& app, Context& context, Naming naming) {
    const auto options = std::make_shared<Options>();
    options->target.naming = naming;
    declare_target(app, options->target);
    app.add_flag("--no-stdin", options->no_input, "Type nothing into it");
    app.add_flag("--sig-proxy",
                 options->proxy_signals,
                 "Pass signals on to it, where it has no terminal (default true)");
    app.add_option("--detach-keys",
                   options->detach_keys,
                   "The keys that leave it running (default ctrl-p,ctrl-q)");
    app.callback([&context, options] {
        require_root();
        const auto container = find_running_target(context, options->target, "attach");
        context.exit_code =
            attach_to(context, container, attachment_options(container.service_config, *options));
    });
}

}  // namespace

void add_attach(CLI::App& app, Context& context) {
    declare(app, context, Naming::service);
}

void add_container_attach(CLI::App& app, Context& context) {
    declare(app, context, Naming::container);
}

}  // namespace stack::cli
