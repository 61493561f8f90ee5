// enable, disable, resume: what becomes of stacks after a reboot.

#include <stack/error.h>
#include <stack/supervise.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/boot_unit.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/local.h"
#include "cli/project.h"
#include "cli/single.h"
#include "supervise/desired.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"

#include <algorithm>
#include <functional>

namespace stack::cli {
namespace {

/// One empty file a stack: that it is to come back outlives `down`, which forgets the stack.
std::string enabled_directory(const Context& context) {
    return context.paths.state + "/enabled";
}

std::string unit_path(const Context& context) {
    return "/etc/systemd/system/" + boot_unit_name(context.paths);
}

/// As systemd has its own programs ask (sd_booted(3)).
bool has_systemd() {
    return sys::is_directory("/run/systemd/system");
}

void systemctl(const Strings& words) {
    Strings arguments{"systemctl", "--quiet"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    sys::SpawnOptions options;
    options.arguments = arguments;
    if (const int status = sys::wait(sys::spawn("/usr/bin/systemctl", options)); status != 0)
        throw Error(join(arguments, " ") + " failed with status " + std::to_string(status));
}

std::string unit_text(const Context& context) {
    const auto program = sys::real_path("/proc/self/exe");
    if (!program)
        throw Error("cannot tell where this program is: its file has been removed");
    return boot_unit_text(context.paths, *program);
}

std::string named(const Context& context, const std::string& name) {
    return name.empty() ? find_project(context).name : name;
}

bool is_enabled(const Context& context, const std::string& name) {
    const Strings all = sys::list_directory(enabled_directory(context));
    return std::find(all.begin(), all.end(), name) != all.end();
}

void enable(const Context& context, const std::string& given) {
    require_root();
    const std::string name = named(context, given);
    if (!given.empty() && !supervise::load_desired(context.paths, name))
        give_up("no stack named " + name + " has been brought up: see `stack ls -a`, or enable " +
                "it in the directory of its stack file");
    sys::ensure_directory(enabled_directory(context), 0700);
    sys::replace_file(enabled_directory(context) + "/" + name, "");
    if (!has_systemd()) {
        warn(
            "systemd does not run here: have `stack resume` run once, as root, when the machine "
            "has started");
        return;
    }
    sys::replace_file(unit_path(context), unit_text(context), 0644);
    systemctl({"daemon-reload"});
    systemctl({"enable", boot_unit_name(context.paths)});
}

void disable(const Context& context, const std::string& given) {
    require_root();
    const std::string name = named(context, given);
    if (!is_enabled(context, name))
        give_up("stack " + name + " is not enabled");
    sys::remove_file(enabled_directory(context) + "/" + name);
    if (!sys::list_directory(enabled_directory(context)).empty() || !has_systemd() ||
        !sys::exists(unit_path(context)))
        return;
    systemctl({"disable", boot_unit_name(context.paths)});
    sys::remove_file(unit_path(context));
    systemctl({"daemon-reload"});
}

/// A supervisor that has just begun finds what its stack's policies want.
int resume_one(const Context& context, const std::string& name) {
    const auto stack = supervise::load_desired(context.paths, name);
    if (!stack) {
        warn("stack " + name + " is enabled, but not up: nothing to bring back");
        return 0;
    }
    Request request;
    request.verb = "ping";
    const int status = ask(context, *stack, request, "Resuming");
    if (status == 0)
        sys::write_out(name + "\n");
    return status;
}

/// Those without a stack: nobody enables them, their policy says it all.
int resume_single(const Context& context) {
    LocalEngine local(context.paths);
    const auto containers = local.observe(single_project()).containers;
    if (std::none_of(containers.begin(), containers.end(), [](const auto& container) {
            return container.service_config->restart.condition != RestartCondition::no &&
                   !container.stopped_by_user;
        }))
        return 0;
    Request request;
    request.verb = "ping";
    const int status = ask(context, single_project(), request, "Resuming");
    if (status == 0)
        sys::write_out("single containers\n");
    return status;
}

void resume(Context& context) {
    require_root();
    const auto attempt = [&](const std::string& what, const std::function<int()>& action) {
        try {
            context.exit_code = std::max(context.exit_code, action());
        } catch (const Error& error) {  // the others come back nevertheless
            sys::write_err("stack: " + what + ": " + error.what() + "\n");
            context.exit_code = 1;
        }
    };
    for (const auto& name : sys::list_directory(enabled_directory(context)))
        attempt(name, [&] { return resume_one(context, name); });
    attempt("single containers", [&] { return resume_single(context); });
}

}  // namespace

void add_enable(CLI::App& app, Context& context) {
    const auto name = std::make_shared<std::string>();
    const auto print = std::make_shared<bool>(false);
    app.add_option("STACK", *name, "Its name (default: that of the stack file here)");
    app.add_flag("--print", *print, "Print the systemd unit and change nothing");
    app.callback([&context, name, print] {
        if (*print)
            sys::write_out(unit_text(context));
        else
            enable(context, *name);
    });
}

void add_disable(CLI::App& app, Context& context) {
    const auto name = std::make_shared<std::string>();
    app.add_option("STACK", *name, "Its name (default: that of the stack file here)");
    app.callback([&context, name] { disable(context, *name); });
}

void add_resume(CLI::App& app, Context& context) {
    app.callback([&context] { resume(context); });
}

}  // namespace stack::cli
