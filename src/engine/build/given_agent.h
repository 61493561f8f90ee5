#pragma once

// The ssh agents that a build has: `ssh` of a stack file, --ssh.

#include <stack/model.h>

#include <optional>
#include <string>

namespace stack::build {

/// A socket, or the files of keys of which an agent is to be made (key_agent.h).
struct GivenAgent {
    std::string socket;
    Strings keys;
    std::string missing;  // what is neither, and not there: there is no such agent, then
};

/// What `ID=SOCKET` or `ID=KEY,…` says; for an ID alone, the agent that the environment names.
/// nullopt where none has this id.
[[nodiscard]] std::optional<GivenAgent> find_agent(const Build& build,
                                                   const StringMap& environment,
                                                   const std::string& id);

}  // namespace stack::build
