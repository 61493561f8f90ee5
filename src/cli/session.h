#pragma once

// A container and its client: a new one's from before its program begins to after its end.

#include <stack/events.h>
#include <stack/observed.h>

#include "cli/attachment.h"
#include "cli/context.h"

#include <functional>
#include <string>

namespace stack::cli {

struct Session {
    std::string container;  // its name
    AttachmentOptions attach;
    bool quiet = false;  // no progress is shown, only what goes wrong
    int failure = 1;     // the status where the container never ran
    /// Brings the container up, which waits for its client. Runs in a thread of its own; tells the
    /// event "Starting" of it before it starts. Returns 0 where that succeeded.
    std::function<int(const EventSink&)> start;
    /// Called when the container has ended, with its id.
    std::function<void(const std::string&)> ended;
};

/// The client of one that runs. Returns its status, or 0 where a person has left it by the detach
/// keys.
int attach_to(const Context& context,
              const ObservedContainer& container,
              AttachmentOptions options);

/// Waits until the container's supervisor has removed it at its end, or a while has passed: whoever
/// looks after us is to see it done.
void await_removal(const Context& context, const std::string& id);

/// Returns the container's status, or 0 where a person has left it by the detach keys.
int run_session(const Context& context, Session session);

}  // namespace stack::cli
