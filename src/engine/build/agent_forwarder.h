#pragma once

// An ssh agent of the host, within reach of a step: RUN --mount=type=ssh.
//
// The step gets a socket of its own, with the owner and mode that it asks for; what comes in there
// goes to the agent as this process's, for an agent answers nobody but its user and root.

#include "engine/build/ownership.h"
#include "sys/file.h"

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace stack::build {

class AgentForwarder {
  public:
    /// Listens at `<directory>/<name>`, which is not there yet, until the object goes.
    AgentForwarder(const std::string& directory,
                   const std::string& name,
                   std::string agent,
                   std::uint32_t mode,
                   Owner owner);
    ~AgentForwarder();
    AgentForwarder(const AgentForwarder&) = delete;
    AgentForwarder& operator=(const AgentForwarder&) = delete;

  private:
    struct Connection {
        sys::Fd step;
        sys::Fd agent;
    };

    void run();
    void accept();
    [[nodiscard]] bool pass(const sys::Fd& from, const sys::Fd& to) const;

    std::string agent_;
    sys::Fd listener_;
    sys::Pipe end_;  // the thread ends when its other side is closed
    std::vector<Connection> connections_;
    std::thread thread_;
};

}  // namespace stack::build
