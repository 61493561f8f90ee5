// exec

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/local.h"
#include "cli/options.h"
#include "cli/project.h"
#include "engine/runtime/runtime.h"
#include "sys/terminal.h"

namespace stack::cli {
namespace {

struct Options {
    std::string service;
    Strings command;
    Strings environment;
    std::string user;
    std::string working_dir;
    int index = 0;
    bool no_tty = false;
    bool detach = false;
    bool privileged = false;
};

runtime::ExecOptions exec_options(const Options& options) {
    runtime::ExecOptions exec;
    exec.command = options.command;
    for (const auto& assignment : options.environment) {
        auto [name, value] = split_once(assignment, '=');
        if (assignment.find('=') == std::string::npos) {
            const auto variables = sys::environment();
            const auto found = variables.find(name);
            value = found == variables.end() ? "" : found->second;
        }
        exec.environment[name] = value;
    }
    exec.user = options.user;
    exec.working_dir = options.working_dir;
    exec.tty = !options.no_tty && sys::is_terminal(0) && sys::is_terminal(1);
    exec.stdin_open = !options.detach;
    exec.privileged = options.privileged;
    return exec;
}

}  // namespace

void add_exec(CLI::App& app, Context& context) {
    const auto options = std::make_shared<Options>();
    app.prefix_command(false);
    app.positionals_at_end(true);
    app.add_option("SERVICE", options->service, "The service")->required();
    app.add_option("COMMAND", options->command, "The command and its arguments")->required();
    app.add_option("-e,--env", options->environment, "Set a variable: NAME=VALUE (repeatable)")
        ->allow_extra_args(false);
    app.add_option("-u,--user", options->user, "Run as this user");
    app.add_option("-w,--workdir", options->working_dir, "Run in this directory");
    app.add_option(
        "--index", options->index, "Which of the service's containers (default: the first)");
    app.add_flag("-T,--no-tty", options->no_tty, "No terminal, also where there is one");
    app.add_flag("-d,--detach", options->detach, "Do not wait for it");
    app.add_flag("--privileged", options->privileged, "With all capabilities");
    add_accepted_flag(app, "-i,--interactive,-t,--tty", "the default where there is a terminal");
    app.callback([&context, options] {
        require_root();
        const Stack stack = find_project(context);
        LocalEngine local(context.paths);
        const auto container =
            running_container(stack, local.observe(stack), options->service, options->index);
        const cgroup::Cgroups cgroups;
        network::Networks networks(context.paths);
        runtime::Runtime runtime(context.paths, cgroups, networks);
        if (options->detach)
            static_cast<void>(runtime.probe(container.id, exec_options(*options)));
        else
            context.exit_code = runtime.exec(container.id, exec_options(*options));
    });
}

}  // namespace stack::cli
