#include "engine/build/agent_forwarder.h"

#include "sys/file.h"
#include "sys/poll.h"
#include "sys/socket_path.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {

AgentForwarder::AgentForwarder(const std::string& directory,
                               const std::string& name,
                               std::string agent,
                               std::uint32_t mode,
                               Owner owner)
    : agent_(std::move(agent)),
      listener_(sys::listen_at(sys::SocketPath(directory, name))),
      end_(sys::make_pipe()) {
    const std::string path = directory + "/" + name;
    sys::check(::chown(path.c_str(), owner.uid, owner.gid), "set the owner of " + path);
    sys::check(::chmod(path.c_str(), mode), "set the mode of " + path);
    thread_ = std::thread([this] { run(); });
}

AgentForwarder::~AgentForwarder() {
    end_.write.reset();
    thread_.join();
}

void AgentForwarder::run() {
    for (;;) {
        std::vector<sys::Wait> waits{{end_.read.get(), true, false},
                                     {listener_.get(), true, false}};
        for (const auto& connection : connections_) {
            waits.push_back({connection.step.get(), true, false});
            waits.push_back({connection.agent.get(), true, false});
        }
        sys::wait_ready(waits);
        if (waits[0].readable)
            return;
        auto ready = waits.begin() + 2;
        std::erase_if(connections_, [&](const Connection& connection) {
            const bool from_step = (ready++)->readable;
            const bool from_agent = (ready++)->readable;
            return (from_step && !pass(connection.step, connection.agent)) ||
                   (from_agent && !pass(connection.agent, connection.step));
        });
        if (waits[1].readable)
            accept();
    }
}

/// Where the agent cannot be reached, the step sees its connection end.
void AgentForwarder::accept() {
    sys::Fd step(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!step)
        return;
    try {
        const sys::SocketPath place(sys::parent_path(agent_), sys::file_name(agent_));
        if (sys::Fd agent = sys::connect_to(place))
            connections_.push_back({std::move(step), std::move(agent)});
    } catch (const std::exception&) {  // there is nobody in this thread to be told
    }
}

/// False where the connection is over.
bool AgentForwarder::pass(const sys::Fd& from, const sys::Fd& to) const {
    std::array<char, 16384> buffer{};
    const auto count = ::recv(from.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0)
        return count < 0 && errno == EAGAIN;
    for (ssize_t sent = 0; sent < count;) {
        const auto more = ::send(
            to.get(), buffer.data() + sent, static_cast<std::size_t>(count - sent), MSG_NOSIGNAL);
        if (more < 0 && errno != EAGAIN)
            return false;
        sent += std::max<ssize_t>(more, 0);
        std::vector<sys::Wait> waits{{end_.read.get(), true, false}, {to.get(), false, true}};
        if (more < 0)
            sys::wait_ready(waits);
        if (more < 0 && waits[0].readable)
            return false;
    }
    return true;
}

}  // namespace stack::build
