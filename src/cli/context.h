#pragma once

// What every command gets: the global options, and where this instance keeps its things.

#include <stack/model.h>
#include <stack/paths.h>

#include <string>

namespace stack::cli {

struct Globals {
    Strings files;
    std::string project_name;
    std::string project_directory;
    Strings profiles;
    Strings env_files;
    std::string progress = "auto";  // auto, tty, plain, json, quiet
    std::string ansi = "auto";      // auto, never, always
    std::string diagnostics = "text";
    std::string root;
    bool all_resources = false;
    bool dry_run = false;
    std::string dry_run_format;  // one of plan_formats() (cli/ask.h)
    int parallel = 0;            // Request::parallel
};

/// docker's status where the command in a container never ran: one that no command's own is.
constexpr int engine_failed = 125;

struct Context {
    Globals globals;
    Paths paths;
    int exit_code = 0;
    int misuse_code = 1;  // where the command line is not understood
};

/// Ends the command with this status; what there was to say has been said.
struct Exit {
    int status;
};

/// Prints `stack: <message>` and throws Exit{1}.
[[noreturn]] void give_up(const std::string& message);

/// Prints `stack: warning: <message>`.
void warn(const std::string& message);

/// Throws where this process may not do what the engine needs, saying what to do.
void require_root();

}  // namespace stack::cli
