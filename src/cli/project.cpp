#include "cli/project.h"

#include <stack/error.h>
#include <stack/load.h>

#include "base/digest.h"
#include "base/text.h"
#include "cli/here.h"
#include "cli/local.h"
#include "supervise/desired.h"
#include "sys/fifo.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>

namespace stack::cli {
namespace {

constexpr std::array<const char*, 4> default_names{
    "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"};
constexpr std::array<const char*, 4> override_names{"compose.override.yml",
                                                    "compose.override.yaml",
                                                    "docker-compose.override.yml",
                                                    "docker-compose.override.yaml"};

std::optional<std::string> variable(const char* name) {
    const auto variables = sys::environment();
    const auto found = variables.find(name);
    return found == variables.end() || found->second.empty() ? std::nullopt
                                                             : std::optional(found->second);
}

/// The first of `names` that is in `directory`; says so where there are more. Empty: there is none.
Strings first_of(const std::string& directory, const std::array<const char*, 4>& names) {
    Strings found;
    for (const auto* name : names)
        if (sys::exists(directory + "/" + name))
            found.push_back(directory + "/" + name);
    if (found.size() > 1)
        warn("found several stack files: " + join(found, ", ") + "; using the first");
    if (!found.empty())
        found.resize(1);
    return found;
}

/// The first default file in `directory` or one above, with its override beside it.
Strings search_upwards(std::string directory) {
    for (;; directory = sys::parent_path(directory)) {
        Strings found = first_of(directory, default_names);
        if (!found.empty()) {
            const Strings over = first_of(directory, override_names);
            found.insert(found.end(), over.begin(), over.end());
            return found;
        }
        if (directory == "/")
            return {};
    }
}

/// What a pipe says it says once (`-f <(…)`), and files are read more than once.
std::optional<std::string> read_source(const std::string& path) {
    static std::map<std::string, std::string> pipes;
    const bool is_input = path == "-";
    std::error_code is_none;
    if (!is_input && !std::filesystem::is_fifo(path, is_none))
        return sys::read_file(path, largest_file);
    if (const auto known = pipes.find(path); known != pipes.end())
        return known->second;
    return pipes[path] = is_input ? sys::read_standard_input(largest_file)
                                  : sys::read_file(path, largest_file).value_or("");
}

/// nullopt where that would be the current directory, which does not exist any more.
std::optional<std::string> find_project_directory(const Context& context, const Strings& files) {
    if (!context.globals.project_directory.empty())
        return here(context.globals.project_directory);
    for (const auto& file : files)
        if (file != "-")
            return sys::parent_path(file);
    return find_here();
}

std::string project_directory(const Context& context, const Strings& files) {
    const auto directory = find_project_directory(context, files);
    return directory ? *directory : here(".");
}

/// Those of -f, absolute.
Strings named_files(const Context& context) {
    Strings files = context.globals.files;
    for (auto& file : files)
        if (file != "-")
            file = here(file);
    return files;
}

/// In rising order. Without any that are named: the .env beside `files`, above that the one of the
/// directory that was known before these were looked for (--project-directory, that of -f, or this
/// one).
Strings environment_files(const Context& context, const Strings& files) {
    Strings list;
    for (const auto& file : context.globals.env_files)
        list.push_back(here(file));
    if (!list.empty())
        return list;
    if (const auto listed = variable("COMPOSE_ENV_FILES")) {
        for (const auto& file : split(*listed, ','))
            list.push_back(here(file));
        return list;
    }
    const auto disabled = variable("COMPOSE_DISABLE_ENV_FILE");
    if (disabled && *disabled != "0" && *disabled != "false")
        return {};
    for (const auto& place : {find_project_directory(context, files),
                              find_project_directory(context, named_files(context))})
        if (const std::string path = place.value_or("") + "/.env";
            place && sys::exists(path) && (list.empty() || list.back() != path))
            list.push_back(path);
    return list;
}

/// What COMPOSE_FILE names, in the environment or in .env.
Strings listed_files(const Context& context) {
    Diagnostics said_later;
    const StringMap variables = merge_environment(
        sys::environment(), environment_files(context, {}), read_source, said_later);
    const auto list = variables.find("COMPOSE_FILE");
    if (list == variables.end() || list->second.empty())
        return {};
    const auto separator = variables.find("COMPOSE_PATH_SEPARATOR");
    const bool is_given = separator != variables.end() && !separator->second.empty();
    return split(list->second, is_given ? separator->second[0] : ':');
}

std::string source_text(const std::string& file, const void* sources) {
    const auto& map = *static_cast<const std::map<std::string, std::string>*>(sources);
    const auto found = map.find(file);
    return found == map.end() ? "" : found->second;
}

/// Prints what the loader had to say; stops where it holds an error.
void report(const Context& context, const LoadResult& result) {
    if (context.globals.diagnostics == "json")
        sys::write_err(to_json_text(result.diagnostics) + "\n");
    else
        sys::write_err(to_text(result.diagnostics, source_text, &result.sources));
    if (has_errors(result.diagnostics))
        throw Exit{1};
}

StringMap environment_for(const Context& context, const Strings& files, Diagnostics& diagnostics) {
    StringMap process = sys::environment();
    if (const auto directory = find_here())
        process.emplace("PWD", *directory);  // whoever starts us need not be a shell
    return merge_environment(process, environment_files(context, files), read_source, diagnostics);
}

std::string wanted_name(const Context& context, const StringMap& environment) {
    if (!context.globals.project_name.empty())
        return context.globals.project_name;
    const auto found = environment.find("COMPOSE_PROJECT_NAME");
    return found == environment.end() ? "" : found->second;
}

Strings active_profiles(const Context& context, const StringMap& environment) {
    if (!context.globals.profiles.empty())
        return context.globals.profiles;
    const auto found = environment.find("COMPOSE_PROFILES");
    if (found == environment.end() || found->second.empty())
        return {};
    Strings profiles;
    for (const auto& profile : split(found->second, ','))
        profiles.emplace_back(trim(profile));
    return profiles;
}

}  // namespace

Strings stack_files(const Context& context) {
    Strings files = named_files(context);
    if (files.empty())
        files = listed_files(context);
    if (files.empty()) {
        const auto start = find_project_directory(context, {});
        return start ? search_upwards(*start) : Strings();
    }
    for (auto& file : files)
        if (file != "-")
            file = here(file);
    return files;
}

StringMap project_environment(const Context& context) {
    Diagnostics ignored;
    return environment_for(context, stack_files(context), ignored);
}

bool is_named_by_hand(const Context& context) {
    return !context.globals.project_name.empty() ||
           !wanted_name(context, project_environment(context)).empty();
}

namespace {

/// As load_files(), with nothing printed: what was said may be an error.
LoadResult read_files(const Context& context, const LoadAdjustments& adjust) {
    LoadInput input;
    input.files = stack_files(context);
    if (input.files.empty())
        give_up(
            "no stack file found: there is no compose.yaml, compose.yml, docker-compose.yml or "
            "docker-compose.yaml in " +
            here(".") +
            " or a directory above it; name one with -f FILE (what needs none is under `stack "
            "container`, `stack image`, `stack volume` and `stack network`)");
    Diagnostics environment_problems;
    input.environment = environment_for(context, input.files, environment_problems);
    input.project_directory = project_directory(context, input.files);
    input.project_name = wanted_name(context, input.environment);
    input.profiles =
        adjust.all_profiles ? Strings{"*"} : active_profiles(context, input.environment);
    input.named_services = adjust.named_services;
    input.read_file = read_source;
    input.interpolate = adjust.interpolate;
    input.normalize = adjust.normalize;
    input.check_consistency = adjust.check_consistency;
    input.all_resources = context.globals.all_resources;
    input.resolve_paths = adjust.resolve_paths;
    input.resolve_environment = adjust.resolve_environment;
    input.remainder = adjust.remainder;
    input.lint = adjust.lint;
    input.lint_only = adjust.lint_only;
    input.lint_without = adjust.lint_without;
    if (!adjust.overlay.empty()) {
        const std::string name = "the command line";
        input.files.push_back(name);
        input.read_file = [&adjust, name](const std::string& path) {
            return path == name ? std::optional(adjust.overlay) : read_source(path);
        };
    }
    LoadResult result = load(input);
    result.diagnostics.insert(
        result.diagnostics.begin(), environment_problems.begin(), environment_problems.end());
    return result;
}

}  // namespace

LoadResult load_files(const Context& context, const LoadAdjustments& adjust) {
    LoadResult result = read_files(context, adjust);
    if (adjust.overlay.empty() || has_errors(result.diagnostics))
        report(context, result);
    return result;
}

namespace {

/// A container has a copy of a config's or secret's file: another content makes it another one. One
/// that cannot be read is for the start to complain of.
void note_contents(std::map<std::string, FileSource>& sources) {
    for (auto& [key, source] : sources) {
        if (source.file.empty() || source.external || sys::is_fifo(source.file))
            continue;
        try {
            source.digest = sha256_hex(sys::read_file(source.file, largest_file).value_or(""));
        } catch (const Error&) {
            source.digest.clear();
        }
    }
}

/// Of the services that name none.
void use_default_platform(const Context& context, Stack& stack) {
    const StringMap environment = project_environment(context);
    if (const auto found = environment.find("DOCKER_DEFAULT_PLATFORM"); found != environment.end())
        for (auto& [name, service] : stack.services)
            if (service.platform.empty())
                service.platform = found->second;
}

}  // namespace

Stack load_project(const Context& context, const LoadAdjustments& adjust) {
    return as_made(context, std::move(*load_files(context, adjust).stack));
}

Stack as_made(const Context& context, Stack stack) {
    use_default_platform(context, stack);
    note_contents(stack.secrets);
    note_contents(stack.configs);
    return stack;
}

namespace {

/// The names that the loader takes, none of which leads to another directory.
bool can_be_named(const std::string& name) {
    constexpr const char* letters = "abcdefghijklmnopqrstuvwxyz0123456789";
    return name.find_first_not_of(std::string(letters) + "_-") == std::string::npos &&
           name.find_first_of(letters) == 0;
}

/// What was brought up under that name last, or its bare name where only containers or networks
/// tell of it; nullopt where nothing does.
std::optional<Stack> living_stack(const Context& context, const std::string& name) {
    if (!can_be_named(name))
        return std::nullopt;
    require_root();
    if (auto stored = supervise::load_desired(context.paths, name))
        return stored;
    Stack bare;
    bare.name = name;
    LocalEngine local(context.paths);
    const Observed observed = local.observe(bare);
    const auto is_own = [&](const auto& one) { return one.project == name; };
    const bool lives =
        std::any_of(observed.containers.begin(), observed.containers.end(), is_own) ||
        std::any_of(observed.networks.begin(), observed.networks.end(), is_own);
    return lives ? std::optional(bare) : std::nullopt;
}

/// The name in the environment of a stack whose file is not there, or says what cannot be: it is
/// as it lives.
std::optional<Stack> living_where_no_file_serves(const Context& context,
                                                 const LoadAdjustments& adjust) {
    const std::string name = variable("COMPOSE_PROJECT_NAME").value_or("");
    const bool has_file = !stack_files(context).empty();
    if (name.empty() || !context.globals.files.empty() ||
        (has_file && !has_errors(read_files(context, adjust).diagnostics)))
        return std::nullopt;
    return living_stack(context, name);
}

}  // namespace

ExistingStack find_existing(const Context& context, const Strings& services) {
    const LoadAdjustments adjust{.resolve_environment = false, .named_services = services};
    const std::string& name = context.globals.project_name;
    auto living = !context.globals.files.empty() ? std::nullopt
                  : name.empty()                 ? living_where_no_file_serves(context, adjust)
                                                 : living_stack(context, name);
    if (living)
        return {*std::move(living), true};
    if (!stack_files(context).empty())
        return {load_project(context, adjust)};
    Stack bare;
    bare.name = wanted_name(context, sys::environment());
    if (bare.name.empty())
        return {load_project(context)};  // says that there is no file
    return {std::move(bare), true};
}

Stack find_project(const Context& context, const Strings& services) {
    return find_existing(context, services).stack;
}

}  // namespace stack::cli
