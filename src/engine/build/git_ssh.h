#pragma once

// What git needs to fetch by ssh: the build's agent `default`, within reach of nobody, as which git
// runs, and the keys of hosts that whoever builds knows.

#include <stack/model.h>
#include <stack/paths.h>

#include "engine/build/agent_forwarder.h"
#include "engine/build/key_agent.h"
#include "engine/build/step_files.h"

#include <memory>
#include <string>

namespace stack::build {

class GitSsh {
  public:
    /// Throws stack::Error, naming `url`, where the build has no such agent.
    GitSsh(const Paths& paths,
           const Build& build,
           const StringMap& environment,
           const std::string& url);

    /// Holds `agent`, a socket that answers as long as this object lives, and `known_hosts`.
    [[nodiscard]] std::string directory() const { return files_.path() + "/git"; }

  private:
    StepFiles files_;
    std::unique_ptr<KeyAgent> keys_;
    std::unique_ptr<AgentForwarder> forwarder_;
};

}  // namespace stack::build
