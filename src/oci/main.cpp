// stack-oci: the command line by which engines drive a runtime (runc's), over the same helper that
// makes the containers of stacks.

#include "oci/commands.h"
#include "oci/options.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>

#include <fcntl.h>

namespace stack::oci {
namespace {

struct Globals {
    std::string root = "/run/stack-oci";
    std::string log;
    std::string log_format = "text";
    bool systemd_groups = false;
    bool wants_version = false;
    bool wants_help = false;
};

std::vector<Option> global_options(Globals& globals) {
    const auto ignore = [](const std::string&) {};
    return {
        {"root", 0, "DIR", "Where its records are (default /run/stack-oci)", keep(globals.root)},
        {"log", 0, "FILE", "Append errors and warnings there, too", keep(globals.log)},
        {"log-format", 0, "text|json", "How they are written there", keep(globals.log_format)},
        {"log-level", 0, "LEVEL", "Has no effect", ignore},
        {"debug", 0, "", "Has no effect", ignore},
        {"rootless", 0, "auto|true|false", "Has no effect", ignore},
        {"systemd-cgroup", 0, "", "Refused", keep(globals.systemd_groups)},
        {"version", 'v', "", "Show the version", keep(globals.wants_version)},
        {"help", 'h', "", "Show this", keep(globals.wants_help)}};
}

std::string help(const std::vector<Option>& options) {
    std::string text =
        "stack-oci makes and runs the containers of OCI bundles (runtime-spec).\n\n"
        "Usage: stack-oci [OPTION…] COMMAND …\n\n";
    for (const auto& command : commands()) {
        std::string line = std::string("  ") + command.name;
        constexpr std::size_t column = 14;
        line.resize(column, ' ');
        text += line + command.summary + "\n";
    }
    return text + "\n" + help_of(options);
}

/// To standard error, and to the log where there is one; warnings to the log alone then: the
/// streams are the container's, and what is not its own would be among what it prints.
class Report {
  public:
    explicit Report(const Globals& globals) : globals_(globals) {}

    void say(const char* level, const std::string& message) const noexcept {
        if (globals_.log.empty() || level != std::string_view("warning"))
            std::fputs(("stack-oci: " + message + "\n").c_str(), stderr);
        if (globals_.log.empty())
            return;
        try {
            const auto file = sys::open_file(globals_.log, O_WRONLY | O_APPEND | O_CREAT, 0644);
            sys::write_all(file, line(level, message));
        } catch (const std::exception& error) {
            std::fputs((std::string("stack-oci: ") + error.what() + "\n").c_str(), stderr);
        }
    }

  private:
    [[nodiscard]] std::string line(const char* level, const std::string& message) const {
        const std::time_t seconds = std::time(nullptr);
        std::tm parts{};
        ::gmtime_r(&seconds, &parts);
        std::array<char, 32> now{};
        std::strftime(now.data(), now.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
        if (globals_.log_format == "json")
            return Json{{"level", level}, {"msg", message}, {"time", now.data()}}.dump(
                       -1, ' ', false, Json::error_handler_t::replace) +
                   "\n";
        return std::string(now.data()) + " " + level + " " + message + "\n";
    }

    const Globals& globals_;
};

int run_command(const Globals& globals, const Report& report, const Strings& words) {
    if (globals.systemd_groups)
        throw Error(
            "--systemd-cgroup is not supported: have groups made by cgroupfs "
            "(podman --cgroup-manager cgroupfs)");
    if (globals.log_format != "text" && globals.log_format != "json")
        throw Error("--log-format is text or json");
    for (const auto& command : commands()) {
        if (words.front() != command.name)
            continue;
        Context context{
            Containers(sys::absolute_path(globals.root, sys::current_directory()),
                       [&](const std::string& warning) { report.say("warning", warning); })};
        return command.run(context, Strings(words.begin() + 1, words.end()));
    }
    throw Error("there is no command " + words.front() + " (stack-oci --help lists them)");
}

int run(const Strings& words) {
    Globals globals;
    const auto options = global_options(globals);
    const Report report(globals);
    try {
        const auto rest = take_options(words, options, true);
        if (globals.wants_version)
            sys::write_out(std::string("stack-oci version ") + STACK_VERSION +
                           "\nspec: " + newest_version + "\n");
        else if (globals.wants_help || rest.empty())
            sys::write_out(help(options));
        else
            return run_command(globals, report, rest);
        return 0;
    } catch (const HelpWanted& wanted) {
        sys::write_out(wanted.text);
        return 0;
    } catch (const ExecFault& fault) {
        report.say("error", fault.what());
        return fault.status();
    } catch (const std::exception& error) {
        report.say("error", error.what());
        return 1;
    }
}

}  // namespace
}  // namespace stack::oci

int main(int argc, char** argv) {
    stack::sys::secure_standard_streams();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like others
    return stack::oci::run(stack::Strings(argv + 1, argv + argc));
}
