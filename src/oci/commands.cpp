#include "oci/commands.h"

#include "base/signals.h"
#include "base/text.h"
#include "oci/features.h"
#include "oci/options.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <algorithm>
#include <csignal>

namespace stack::oci {
namespace {

void print(const Json& json) {
    constexpr int indent = 2;
    sys::write_out(json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n");
}

Strings read_words(const char* command,
                   const Strings& words,
                   std::vector<Option> options,
                   std::size_t least,
                   bool only_first = false) {
    bool wants_help = false;
    options.push_back({"help", 'h', "", "Show this", keep(wants_help)});
    Strings rest = take_options(words, options, only_first);
    const auto found = std::find_if(commands().begin(), commands().end(), [&](const auto& one) {
        return std::string_view(one.name) == command;
    });
    const std::string usage = "stack-oci " + std::string(command) + " [OPTION…] " + found->usage;
    if (wants_help)
        throw HelpWanted{found->summary + std::string("\n\nUsage: ") + usage + "\n\n" +
                         help_of(options)};
    if (rest.size() < least)
        throw Error("something is missing: " + usage);
    return rest;
}

/// Those of every process, the first of a container or a further one.
template <class Options>
void add_process_options(Options& options, std::vector<Option>& known) {
    known.push_back({"pid-file", 0, "FILE", "Write its pid there", keep(options.pid_file)});
    known.push_back({"console-socket",
                     0,
                     "SOCKET",
                     "Send its terminal to whoever listens there",
                     keep(options.console_socket)});
    known.push_back(
        {"preserve-fds", 0, "N", "Pass on N descriptors from 3 on", keep(options.preserved)});
}

std::vector<Option> creation_options(CreateOptions& options) {
    std::vector<Option> known{
        {"bundle", 'b', "DIR", "The bundle (default: here)", keep(options.bundle)},
        {"no-pivot",
         0,
         "",
         "Refused",
         [](const std::string&) {
             throw not_supported("--no-pivot (the host's file systems would stay in reach)");
         }},
        {"no-new-keyring", 0, "", "Has no effect", [](const std::string&) {}}};
    add_process_options(options, known);
    return known;
}

int create(Context& context, const Strings& words) {
    CreateOptions options;
    options.id = read_words("create", words, creation_options(options), 1).front();
    context.containers.create(options);
    return 0;
}

int start(Context& context, const Strings& words) {
    context.containers.start(read_words("start", words, {}, 1).front());
    return 0;
}

int run(Context& context, const Strings& words) {
    CreateOptions options;
    options.detached = false;
    auto known = creation_options(options);
    known.push_back({"detach", 'd', "", "Do not wait for its end", keep(options.detached)});
    known.push_back({"keep", 0, "", "Do not delete it at its end", keep(options.is_kept)});
    options.id = read_words("run", words, std::move(known), 1).front();
    return context.containers.run(options);
}

int state(Context& context, const Strings& words) {
    print(context.containers.state(read_words("state", words, {}, 1).front()));
    return 0;
}

int kill(Context& context, const Strings& words) {
    bool all = false;
    const auto rest = read_words(
        "kill", words, {{"all", 'a', "", "Every process of the container", keep(all)}}, 1);
    const auto signal = rest.size() > 1 ? parse_signal(rest[1]) : SIGTERM;
    if (!signal)
        throw Error("there is no signal " + rest[1]);
    context.containers.kill(rest.front(), *signal, all);
    return 0;
}

int remove(Context& context, const Strings& words) {
    bool force = false;
    const auto rest =
        read_words("delete",
                   words,
                   {{"force", 'f', "", "Also one that runs, or is not there", keep(force)}},
                   1);
    context.containers.remove(rest.front(), force);
    return 0;
}

std::vector<Option> exec_options(ExecOptions& options) {
    const auto ignore = [](const std::string&) {};
    std::vector<Option> known{
        {"process", 'p', "FILE", "A process as config.json has one", keep(options.process_file)},
        {"cwd", 0, "DIR", "Working directory", keep(options.working_dir)},
        {"env", 'e', "NAME=VALUE", "Set a variable (repeatable)", keep(options.environment)},
        {"user", 'u', "UID[:GID]", "Who runs it", keep(options.user)},
        {"additional-gids", 'g', "GID", "One more group (repeatable)", keep(options.groups)},
        {"cap", 'c', "NAME", "One more capability (repeatable)", keep(options.capabilities)},
        {"no-new-privs", 0, "", "Set no_new_privs", keep(options.no_new_privileges)},
        {"tty", 't', "", "With a terminal", keep(options.tty)},
        {"detach", 'd', "", "Do not wait for its end", keep(options.detached)},
        {"apparmor", 0, "PROFILE", "Has no effect", ignore},
        {"process-label", 0, "LABEL", "Has no effect", ignore}};
    add_process_options(options, known);
    return known;
}

int exec(Context& context, const Strings& words) {
    ExecOptions options;
    auto rest = read_words("exec", words, exec_options(options), 1, true);
    options.id = rest.front();
    options.command.assign(rest.begin() + 1, rest.end());
    if (options.command.empty() && options.process_file.empty())
        throw Error("exec needs a command, or --process FILE");
    return context.containers.exec(options);
}

int pause(Context& context, const Strings& words) {
    context.containers.pause(read_words("pause", words, {}, 1).front(), true);
    return 0;
}

int resume(Context& context, const Strings& words) {
    context.containers.pause(read_words("resume", words, {}, 1).front(), false);
    return 0;
}

/// Sets one of linux.resources, by its place there.
std::function<void(const std::string&)> set_number(Json& resources,
                                                   const char* part,
                                                   const char* key) {
    return [&resources, part, key](const std::string& value) {
        const auto number = parse_number<std::int64_t>(value);
        if (!number)
            throw Error("\"" + value + "\" is not a number");
        resources[part][key] = *number;
    };
}

int update(Context& context, const Strings& words) {
    Json resources = Json::object();
    std::string file;
    const auto set_text = [&](const char* key) {
        return [&resources, key](const std::string& value) { resources["cpu"][key] = value; };
    };
    const std::vector<Option> options{
        {"resources", 'r', "FILE", "linux.resources; - is standard input", keep(file)},
        {"memory", 0, "BYTES", "", set_number(resources, "memory", "limit")},
        {"memory-swap", 0, "BYTES", "Memory and swap", set_number(resources, "memory", "swap")},
        {"memory-reservation", 0, "BYTES", "", set_number(resources, "memory", "reservation")},
        {"cpu-shares", 0, "N", "", set_number(resources, "cpu", "shares")},
        {"cpu-quota", 0, "US", "", set_number(resources, "cpu", "quota")},
        {"cpu-period", 0, "US", "", set_number(resources, "cpu", "period")},
        {"cpuset-cpus", 0, "LIST", "", set_text("cpus")},
        {"cpuset-mems", 0, "LIST", "", set_text("mems")},
        {"blkio-weight", 0, "N", "", set_number(resources, "blockIO", "weight")},
        {"pids-limit", 0, "N", "", set_number(resources, "pids", "limit")}};
    const auto rest = read_words("update", words, options, 1);
    if (!file.empty()) {
        resources = Json::parse(
            file == "-" ? sys::read_standard_input() : sys::read_file(file).value_or(""),
            nullptr,
            false);
        if (!resources.is_object())
            throw Error(file + " has no resources as config.json has them");
    }
    context.containers.update(rest.front(), resources);
    return 0;
}

int list(Context& context, const Strings& words) {
    std::string format = "table";
    bool quiet = false;
    static_cast<void>(read_words("list",
                                 words,
                                 {{"format", 'f', "table|json", "", keep(format)},
                                  {"quiet", 'q', "", "Ids only", keep(quiet)}},
                                 0));
    const auto states = context.containers.states();
    if (format == "json" && !quiet) {
        print(Json(states));
        return 0;
    }
    std::string text = quiet ? "" : "ID\tPID\tSTATUS\tBUNDLE\tCREATED\n";
    for (const auto& one : states)
        text += quiet ? text_of(one, "id") + "\n"
                      : text_of(one, "id") + "\t" + one["pid"].dump() + "\t" +
                            text_of(one, "status") + "\t" + text_of(one, "bundle") + "\t" +
                            text_of(one, "created") + "\n";
    sys::write_out(text);
    return 0;
}

std::string command_line(int pid) {
    std::string text = sys::read_file("/proc/" + std::to_string(pid) + "/cmdline").value_or("");
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text;
}

int list_processes(Context& context, const Strings& words) {
    std::string format = "table";
    const auto rest =
        read_words("ps", words, {{"format", 'f', "table|json", "", keep(format)}}, 1, true);
    const auto pids = context.containers.processes(rest.front());
    if (format == "json") {
        sys::write_out(Json(pids).dump() + "\n");
        return 0;
    }
    std::string text = "PID\tCMD\n";
    for (const int pid : pids)
        text += std::to_string(pid) + "\t" + command_line(pid) + "\n";
    sys::write_out(text);
    return 0;
}

int show_features(Context&, const Strings& words) {
    static_cast<void>(read_words("features", words, {}, 0));
    print(features());
    return 0;
}

int write_spec(Context&, const Strings& words) {
    std::string directory = ".";
    static_cast<void>(
        read_words("spec",
                   words,
                   {{"bundle", 'b', "DIR", "Where it goes (default: here)", keep(directory)}},
                   0));
    const std::string file = directory + "/config.json";
    if (sys::exists(file))
        throw Error(file + " exists already");
    constexpr int indent = 2;
    sys::replace_volatile_file(file, example_config().dump(indent) + "\n", 0644);
    return 0;
}

}  // namespace

const std::vector<Command>& commands() {
    static const std::vector<Command> all{
        {"create", "ID", "Make the container of a bundle, set up and waiting", create},
        {"start", "ID", "Let its program begin", start},
        {"run", "ID", "create, start, and wait for its end", run},
        {"state", "ID", "Say what it is, as JSON", state},
        {"kill", "ID [SIGNAL]", "Send a signal (TERM) to its first process", kill},
        {"delete", "ID", "Take away what is left of it", remove},
        {"exec", "ID COMMAND…", "Run one more process in it", exec},
        {"pause", "ID", "Halt its processes", pause},
        {"resume", "ID", "Let them go on", resume},
        {"update", "ID", "Change its limits", update},
        {"list", "", "List containers", list},
        {"ps", "ID", "List its processes", list_processes},
        {"spec", "", "Write a config.json to begin with", write_spec},
        {"features", "", "Say what is understood of the runtime-spec, as JSON", show_features}};
    return all;
}

}  // namespace stack::oci
