#pragma once

// Entrances of published ports, watched until somebody comes. Then a process of its own forwards
// until it has been idle for a while: most containers never need one, and one that is busy must not
// hold up the container's log.

#include "shim/ports.h"

#include <vector>

#include <poll.h>

namespace stack::shim {

class Forwarder {
  public:
    explicit Forwarder(std::vector<Entrance> entrances);
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    /// What is to be waited for.
    [[nodiscard]] pollfd watched() const;
    /// Called where the wait said that it is ready.
    void serve();
    /// Nobody has the entrances open afterwards but this process.
    void end();

  private:
    void start_worker();

    std::vector<Entrance> entrances_;
    int arrivals_ = -1;  // epoll: readable when somebody is at an entrance
    int worker_ = -1;    // pidfd of the process that forwards; -1: there is none
};

/// The process that forwards: TCP connections and UDP questions with their answers.
[[noreturn]] void forward(const std::vector<Entrance>& entrances);

}  // namespace stack::shim
