#include "engine/build/key_agent.h"

#include <stack/error.h>

#include "base/text.h"
#include "sys/file.h"

#include <utility>

namespace stack::build {
namespace {

constexpr const char* program = "/usr/bin/ssh-agent";

/// What ssh-agent runs beside itself: it takes the keys, says so, and ends the agent when nobody is
/// left who could write to its standard input.
constexpr const char* script =
    R"(ssh-add -q "$@" < /dev/null && echo ready && cat > /dev/null; kill "$SSH_AGENT_PID")";

constexpr std::string_view ready = "ready\n";

}  // namespace

KeyAgent::KeyAgent(const std::string& socket, const Strings& keys) {
    if (!sys::exists(program))
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "an ssh key needs an agent, and there is no " + std::string(program) +
                        " on this machine: install the package openssh-client");
    sys::Pipe input = sys::make_pipe();
    sys::Pipe output = sys::make_pipe();
    sys::SpawnOptions options;
    options.arguments = {"ssh-agent", "-a", socket, "/bin/sh", "-c", script, "sh"};
    options.arguments.insert(options.arguments.end(), keys.begin(), keys.end());
    options.environment = {"PATH=/usr/bin:/bin"};
    options.descriptors = {{input.read.get(), 0}, {output.write.get(), 1}, {output.write.get(), 2}};
    options.new_session = true;  // nobody is to be asked for a passphrase
    agent_ = sys::spawn(program, options);
    input.read.reset();
    output.write.reset();
    constexpr std::size_t most = 4096;
    std::string said;
    for (std::string more = sys::read_some(output.read, most); !more.empty();
         more = sys::read_some(output.read, most)) {
        said += more;
        if (said.ends_with(ready)) {
            life_ = std::move(input.write);
            return;
        }
    }
    static_cast<void>(sys::wait(agent_));
    throw Error(
        std::make_error_code(std::errc::permission_denied),
        "the ssh key " + join(keys, ", ") + " cannot be used: " + std::string(trim(said)) +
            " (one with a passphrase belongs into an agent: ssh-add it, and name `default`)");
}

KeyAgent::~KeyAgent() {
    life_.reset();
    static_cast<void>(sys::wait(agent_));
}

}  // namespace stack::build
