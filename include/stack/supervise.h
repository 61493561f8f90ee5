#pragma once

// The supervisor of one project: the only writer of the project's state.

#include <stack/engine.h>
#include <stack/model.h>
#include <stack/paths.h>
#include <stack/plan.h>

#include <optional>
#include <stop_token>
#include <string>

namespace stack {

/// What a client asks of the supervisor. The plan of a request is computed by the supervisor from
/// its own look.
struct Request {
    std::string verb;  // up, run, down, start, stop, restart, kill, rm, pause, unpause, scale,
                       // ping, shutdown
    std::optional<Stack> stack;  // up, run: the new desired state; down: what the file says now, by
                                 // which orphans are told; otherwise the stored one serves
    bool named_by_hand = false;  // the stack's name was chosen with the command, not by its file
    PlanOptions up;              // run, too; of start, whether to wait
    RunOptions run;
    DownOptions down;
    Strings services;
    std::optional<Duration> timeout;
    std::string signal;
    bool no_deps = false;
    bool volumes = false;
    bool stop = false;
    StringMap environment;  // of whoever asks, for pulls and builds; request() fills it in
    int parallel = 0;  // how many actions may be under way at once, waits aside; 0: 64, -1: any
};

/// Talks to the supervisor of `project`, starting one where none lives, and streams its events.
/// Returns the exit code of the request: 0, or 1 with an event that says why. A request to `stop`
/// leaves the supervisor alone with it at once, and is answered with `given_up`. Throws
/// stack::Error when the supervisor cannot be reached.
int request(const Paths& paths,
            const std::string& project,
            const Request& what,
            const EventSink& events,
            const std::stop_token& stop = {});

/// As a shell has it of a program that Ctrl-C ended.
inline constexpr int given_up = 130;

}  // namespace stack
