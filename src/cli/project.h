#pragma once

// From the command line and the environment to the stack that a command is about (compose.md 1.2).

#include <stack/load.h>

#include "cli/context.h"

namespace stack::cli {

/// Finds and loads the stack files. Prints the diagnostics; throws Exit where they hold an error or
/// there is no file. `adjust` may change what is asked of the loader (for `config --no-…`), or lay
/// one more stack file over them (for `run`): then warnings have been printed before, and are not
/// again.
struct LoadAdjustments {
    bool interpolate = true;
    bool normalize = true;
    bool check_consistency = true;
    bool resolve_paths = true;
    bool resolve_environment = true;
    bool remainder = false;
    bool all_profiles = false;
    bool lint = false;
    Strings lint_only;
    Strings lint_without;
    Strings named_services;  // their profiles are active
    std::string overlay;
};

/// All that the loader said: what it warned of is printed, and there is no error.
[[nodiscard]] LoadResult load_files(const Context& context, const LoadAdjustments& adjust = {});
[[nodiscard]] Stack load_project(const Context& context, const LoadAdjustments& adjust = {});

/// With what containers are made of besides what the file says: the contents of configs and
/// secrets, and the platform that the environment has for services that name none.
[[nodiscard]] Stack as_made(const Context& context, Stack stack);

/// The stack of a command on what exists already. By name alone (-p without -f), it is what was
/// brought up under that name last: no file is read, which may be another stack's. Otherwise, and
/// where nothing of that name lives, it is what the files say, with the profiles of `services`
/// active; where COMPOSE_PROJECT_NAME names it, they need not be there, nor say what can be. Env
/// files and the variables of secrets are not read: to stop what runs, nobody needs them.
struct ExistingStack {
    Stack stack;
    bool by_name = false;  // no file was read: what runs under the name is all of it
};

[[nodiscard]] ExistingStack find_existing(const Context& context, const Strings& services = {});
[[nodiscard]] Stack find_project(const Context& context, const Strings& services = {});

/// The files that -f, COMPOSE_FILE or the search through parent directories give; empty where there
/// are none.
[[nodiscard]] Strings stack_files(const Context& context);

/// Whether the stack's name is from -p or COMPOSE_PROJECT_NAME.
[[nodiscard]] bool is_named_by_hand(const Context& context);

/// The variables that interpolation sees.
[[nodiscard]] StringMap project_environment(const Context& context);

}  // namespace stack::cli
