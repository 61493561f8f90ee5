// attach

#include "cli/attachment.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/local.h"
#include "cli/project.h"
#include "engine/runtime/runtime.h"
#include "sys/process.h"

namespace stack::cli {
namespace {

struct Options {
    std::string service;
    int index = 0;
    bool no_input = false;
    bool proxy_signals = true;
    std::string detach_keys = default_detach_keys;
};

int attach(const runtime::Runtime& runtime,
           const ObservedContainer& container,
           const Options& options) {
    const Service& service = container.service_config;
    AttachmentOptions attach;
    attach.terminal = service.tty;
    attach.input = service.stdin_open && !options.no_input;
    attach.proxy_signals = options.proxy_signals && !service.tty;
    attach.detach_keys = detach_keys(options.detach_keys);
    sys::Fd shim = runtime.attach(container.id);
    if (!shim)
        give_up("container " + container.name +
                " has no shim that could attach you to it: it has just ended, or its shim died");
    const AttachEnd end = Attachment(std::move(shim), std::move(attach)).run();
    if (end.detached)
        return 0;
    if (end.signal != 0)
        return signal_status_base + end.signal;
    if (!end.status)
        give_up("container " + container.name +
                " does not speak to you any more: you read too slowly, or its shim died");
    runtime.await_end(container.id);
    return *end.status;
}

}  // namespace

void add_attach(CLI::App& app, Context& context) {
    const auto options = std::make_shared<Options>();
    app.add_option("SERVICE", options->service, "The service")->required();
    app.add_option(
        "--index", options->index, "Which of the service's containers (default: the first)");
    app.add_flag("--no-stdin", options->no_input, "Type nothing into it");
    app.add_flag("--sig-proxy",
                 options->proxy_signals,
                 "Pass signals on to it, where it has no terminal (default true)");
    app.add_option("--detach-keys",
                   options->detach_keys,
                   "The keys that leave it running (default ctrl-p,ctrl-q)");
    app.callback([&context, options] {
        require_root();
        const Stack stack = find_project(context);
        LocalEngine local(context.paths);
        const auto container =
            running_container(stack, local.observe(stack), options->service, options->index);
        const cgroup::Cgroups cgroups;
        network::Networks networks(context.paths);
        const runtime::Runtime runtime(context.paths, cgroups, networks);
        context.exit_code = attach(runtime, container, *options);
    });
}

}  // namespace stack::cli
