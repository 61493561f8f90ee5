// exec

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/local_runtime.h"
#include "cli/options.h"
#include "cli/target.h"
#include "supervise/history.h"
#include "sys/file.h"
#include "sys/terminal.h"

namespace stack::cli {
namespace {

struct Options {
    Target target;
    Strings command;
    Strings environment;
    Strings env_files;
    std::string user;
    std::string working_dir;
    bool interactive = false;
    bool tty = false;
    bool detach = false;
    bool privileged = false;
};

/// The lines of the files of --env-file, before those of -e.
Strings assignments(const Options& options) {
    Strings all;
    for (const auto& file : options.env_files) {
        const auto text = sys::read_file(file);
        if (!text)
            give_up("the file " + file + " of --env-file does not exist");
        for (const auto& line : split(*text, '\n'))
            if (!trim(line).empty() && !trim(line).starts_with('#'))
                all.push_back(line);
    }
    all.insert(all.end(), options.environment.begin(), options.environment.end());
    return all;
}

runtime::ExecOptions exec_options(const Options& options) {
    runtime::ExecOptions exec;
    exec.command = options.command;
    for (const auto& assignment : assignments(options)) {
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
    exec.tty = options.tty && !options.detach;
    exec.stdin_open = options.interactive && !options.detach;
    exec.privileged = options.privileged;
    return exec;
}

/// For `stack events`, which has nobody else to tell it.
class ExecHistory {
  public:
    ExecHistory(const Context& context, const ObservedContainer& container, const Strings& command)
        : file_(supervise::events_file(context.paths, container.project)), container_(container) {
        const std::string words = join(command, " ");
        supervise::append_happenings(
            file_, {happening("exec_create: " + words), happening("exec_start: " + words)});
    }

    void end(int status) const {
        auto event = happening("exec_die");
        event.attributes["exitCode"] = std::to_string(status);
        supervise::append_happenings(file_, {event});
    }

  private:
    [[nodiscard]] supervise::Happening happening(const std::string& action) const {
        return supervise::happening(container_, action, std::chrono::system_clock::now());
    }

    std::string file_;
    const ObservedContainer& container_;
};

/// Docker finds out when it enters the container, hence the status.
void check_working_dir(const std::string& path) {
    constexpr int not_executable = 126;
    if (path.empty() || path.starts_with('/'))
        return;
    sys::write_err("stack: the working directory \"" + path +
                   "\" is no absolute path of the container\n");
    throw Exit{not_executable};
}

void run(Context& context, const Options& options) {
    require_root();
    check_working_dir(options.working_dir);
    const auto container = find_running_target(context, options.target, "exec");
    LocalRuntime runtime(context.paths);
    const auto exec = exec_options(options);
    const ExecHistory history(context, container, options.command);
    if (options.detach) {
        runtime->exec_detached(container.id, exec);
        return;
    }
    context.exit_code = runtime->exec(container.id, exec);
    history.end(context.exit_code);
}

std::shared_ptr<Options> declare(CLI::App& app, Context& context, Naming naming) {
    const auto options = std::make_shared<Options>();
    options->target.naming = naming;
    app.prefix_command(false);
    app.positionals_at_end(true);
    declare_target(app, options->target);
    app.add_option("COMMAND", options->command, "The command and its arguments")->required();
    app.add_option("-e,--env", options->environment, "Set a variable: NAME=VALUE (repeatable)")
        ->allow_extra_args(false);
    app.add_option("-u,--user", options->user, "Run as this user");
    app.add_option("-w,--workdir", options->working_dir, "Run in this directory");
    app.add_flag("-d,--detach", options->detach, "Do not wait for it");
    app.add_flag("--privileged", options->privileged, "With all capabilities");
    app.callback([&context, options] { run(context, *options); });
    return options;
}

}  // namespace

void add_exec(CLI::App& app, Context& context) {
    const auto options = declare(app, context, Naming::service);
    options->interactive = true;
    options->tty = sys::is_terminal(0) && sys::is_terminal(1);
    app.add_flag_callback(
        "-T,--no-tty,--no-TTY",
        [options] { options->tty = false; },
        "No terminal, also where there is one");
    add_accepted_flag(app, "-i,--interactive,-t,--tty", "the default where there is a terminal");
}

void add_container_exec(CLI::App& app, Context& context) {
    context.misuse_code = engine_failed;
    const auto options = declare(app, context, Naming::container);
    app.add_flag("-i,--interactive", options->interactive, "Pass input on");
    app.add_flag("-t,--tty", options->tty, "With a terminal");
    app.add_option("--env-file", options->env_files, "Set the variables that a file lists")
        ->allow_extra_args(false);
    add_accepted_option(app, "--detach-keys", "what is run so ends with this command");
}

}  // namespace stack::cli
