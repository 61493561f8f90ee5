// Entry point: global options, the choice of a command, and the last place where an error is
// caught.

#include <stack/error.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/dry_run.h"
#include "cli/here.h"
#include "cli/options.h"
#include "cli/state_format.h"
#include "cli/usage.h"
#include "cli/word_forms.h"
#include "sys/file.h"
#include "sys/limits.h"
#include "sys/populate.h"
#include "sys/terminal.h"
#include "sys/umask.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <set>
#include <system_error>

namespace stack::cli {
namespace {

constexpr const char* about =
    "stack brings up multi-container applications from a compose.yaml and keeps them so.\n"
    "No daemon: the engine is inside. In a directory with a compose.yaml, start with `stack up`.";

void add_dry_run(CLI::App& app, Globals& globals) {
    app.add_flag("--dry-run",
                 globals.dry_run_format,
                 "Show the plan of a changing command and change nothing; end with 2 where it "
                 "would. --dry-run=json, dot, mermaid or svg: in that form");
}

/// Words of older days, which scripts still have: they are taken, and no help names them.
void add_old_options(CLI::App& app, Globals& globals) {
    const std::string nobody = "";
    app.add_flag_callback("--no-ansi", [&globals] { globals.ansi = "never"; })->group(nobody);
    app.add_flag_function("--verbose", [](std::int64_t) {})->group(nobody);
    app.add_option("--workdir", globals.project_directory)->group(nobody);
    app.add_option_function<Strings>("--insecure-registry", [](const Strings&) {})
        ->group(nobody)
        ->allow_extra_args(false);  // of registries that stack files come from: there are none
}

void add_global_options(CLI::App& app, Globals& globals) {
    app.add_option("-f,--file", globals.files, "Stack file (repeatable; - is standard input)")
        ->type_name("FILE")
        ->allow_extra_args(false);
    app.add_option("-p,--project-name", globals.project_name, "Name of the stack")
        ->type_name("NAME");
    app.add_option("--project-directory",
                   globals.project_directory,
                   "Directory that relative paths start from")
        ->type_name("DIR");
    app.add_option("--profile", globals.profiles, "Activate a profile (repeatable)")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_option("--env-file", globals.env_files, "Environment file instead of .env (repeatable)")
        ->type_name("FILE")
        ->allow_extra_args(false);
    app.add_option("--progress", globals.progress, "How progress is shown")
        ->type_name("auto|tty|plain|json|quiet")
        ->envname("COMPOSE_PROGRESS")
        ->check(CLI::IsMember({"auto", "tty", "plain", "json", "quiet"}));
    app.add_option("--ansi", globals.ansi, "Colours and cursor movement")
        ->type_name("auto|never|always")
        ->envname("COMPOSE_ANSI")
        ->check(CLI::IsMember({"auto", "never", "always"}));
    app.add_option("--diagnostics", globals.diagnostics, "Form of complaints about the stack file")
        ->type_name("text|json")
        ->check(CLI::IsMember({"text", "json"}));
    app.add_option("--root",
                   globals.root,
                   "Directory for all state (default /var/lib/stack, or $STACK_ROOT)")
        ->type_name("DIR");
    constexpr int most_parallel = 1'000'000;
    app.add_option("--parallel",
                   globals.parallel,
                   "How many of a stack's actions may be under way at once (-1: any number)")
        ->type_name("N")
        ->envname("COMPOSE_PARALLEL_LIMIT")
        ->check(CLI::Range(-1, most_parallel));
    app.add_flag("--all-resources",
                 globals.all_resources,
                 "Make networks and volumes that no service uses, too");
    add_accepted_flag(app, "--compatibility", "names have the `-` of today");
    add_old_options(app, globals);
    add_dry_run(app, globals);
}

void settle_dry_run(Globals& globals) {
    std::string& format = globals.dry_run_format;
    globals.dry_run = !format.empty() && format != "false";
    if (!globals.dry_run || format == "true")
        format = "text";
    if (format == "text")
        return;
    const auto& formats = plan_formats();
    if (std::find(formats.begin(), formats.end(), format) == formats.end())
        give_up("--dry-run shows a plan as " + join(formats, ", ") + ", not \"" + format + "\"");
}

/// The first word that is not an option or an option's value.
std::string chosen_command(const Strings& words) {
    static const std::set<std::string> with_value{"-f",
                                                  "--file",
                                                  "-p",
                                                  "--project-name",
                                                  "--project-directory",
                                                  "--workdir",
                                                  "--insecure-registry",
                                                  "--profile",
                                                  "--env-file",
                                                  "--progress",
                                                  "--ansi",
                                                  "--diagnostics",
                                                  "--parallel",
                                                  "--root"};
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (with_value.contains(words[i]))
            ++i;
        else if (!words[i].starts_with('-'))
            return words[i];
    }
    return {};
}

/// `help COMMAND` as `COMMAND --help`.
Strings with_help_as_option(Strings words) {
    if (chosen_command(words) != "help")
        return words;
    words.erase(std::find(words.begin(), words.end(), "help"));
    words.emplace_back("--help");
    return words;
}

/// The path that leads to the same place, without symbolic links as far as it exists.
std::string without_links(const std::string& path) {
    if (const auto real = sys::real_path(path); real || path == "/")
        return real.value_or(path);
    const std::string parent = without_links(sys::parent_path(path));
    return (parent == "/" ? "" : parent) + "/" + sys::file_name(path);
}

std::string root_directory(const Globals& globals) {
    std::string root = globals.root;
    if (root.empty()) {
        const auto variables = sys::environment();
        const auto found = variables.find("STACK_ROOT");
        root = found == variables.end() ? "" : found->second;
    }
    if (root.empty())
        return root;
    // One state is one engine's, by whatever names it is called.
    root = without_links(here(root));
    return root == without_links(Paths().state) ? "" : root;
}

/// What a command does that looks at no state works whatever state there is.
bool needs_state(const CLI::App& command) {
    static const std::set<std::string> without{
        "config", "convert", "doctor", "lint", "schema", "version"};
    return !without.contains(command.get_name());
}

int run(const Strings& given) {
    const Strings words = with_help_as_option(given);
    Context context;
    CLI::App app(about, "stack");
    app.set_version_flag("-v,--version", std::string("stack version ") + STACK_VERSION);
    app.require_subcommand(0, 1);
    app.get_formatter()->column_width(34);
    add_global_options(app, context.globals);
    // A command's own comes before the values of the global options are there: CLI11 ends a
    // subcommand's parsing first.
    app.parse_complete_callback([&] {
        settle_dry_run(context.globals);
        context.paths = paths_for(root_directory(context.globals));
        for (const auto* command : app.get_subcommands()) {
            if (needs_state(*command))
                refuse_later_format(context.paths);
            refuse_dry_run(*command, context);
        }
    });
    const std::string chosen = chosen_command(words);
    const auto is_chosen = [&](const Command& command) { return chosen == command.name; };
    // The names of the others are for the help and for who mistypes.
    const bool is_known = std::any_of(commands().begin(), commands().end(), is_chosen);
    for (const auto& command : commands()) {
        if (is_known && !is_chosen(command))
            continue;
        CLI::App* sub = app.add_subcommand(command.name, command.summary);
        sub->group(command.group);
        if (is_chosen(command))
            command.add(*sub, context);
        if (is_chosen(command) && sub->get_subcommands({}).empty())
            add_dry_run(*sub, context.globals);  // as docker compose has it, there too
    }
    try {
        const Strings forms = in_known_forms(app, words);
        app.parse(Strings(forms.rbegin(), forms.rend()));
    } catch (const CLI::Success& success) {
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        sys::write_err(usage_complaint(app, error) + "\n");
        return context.misuse_code;
    }
    if (chosen.empty())
        sys::write_out(app.help());
    return context.exit_code;
}

/// What the standard library says of a thread that cannot be made names neither.
std::string sentence_of(const std::exception& error) {
    const auto* refusal = dynamic_cast<const std::system_error*>(&error);
    const bool is_of_a_thread = refusal != nullptr &&
                                dynamic_cast<const Error*>(&error) == nullptr &&
                                refusal->code() == std::errc::resource_unavailable_try_again;
    return is_of_a_thread
               ? std::string("make a thread") + sys::no_more_processes + ": " + error.what()
               : error.what();
}

/// Before everything else, also before what is made before main().
[[gnu::constructor(101)]] void settle() {
    sys::populate_memory();
}

}  // namespace
}  // namespace stack::cli

int main(int argc, char** argv) {
    using namespace stack;
    sys::secure_standard_streams();
    sys::settle_umask();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like others
    try {
        return cli::run(Strings(argv + 1, argv + argc));
    } catch (const cli::Exit& exit) {
        return exit.status;
    } catch (const std::exception& error) {
        // Not a throw more: standard error may be what is full.
        std::fputs(("stack: " + cli::sentence_of(error) + "\n").c_str(), stderr);
        return 1;
    }
}
