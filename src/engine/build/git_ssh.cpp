#include "engine/build/git_ssh.h"

#include <stack/error.h>

#include "engine/build/given_agent.h"
#include "sys/file.h"
#include "sys/terminal.h"

namespace stack::build {
namespace {

constexpr const char* id = "default";

GivenAgent agent_for(const Build& build, const StringMap& environment, const std::string& url) {
    auto agent = find_agent(build, environment, id);
    if (!agent)
        throw Error(std::make_error_code(std::errc::permission_denied),
                    url +
                        " needs an ssh agent, and the build has none: name `default` under `ssh` "
                        "of the build, and SSH_AUTH_SOCK (or default=KEYFILE), or --ssh default");
    if (!agent->missing.empty())
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    url + " needs the ssh agent `default`, and that is " + agent->missing +
                        ", where nothing is: name the socket of an agent, or key files");
    return *std::move(agent);
}

std::string known_hosts() {
    std::string all;
    for (const auto& file :
         {std::string("/etc/ssh/ssh_known_hosts"), sys::home_directory() + "/.ssh/known_hosts"})
        all += sys::read_file(file).value_or("") + "\n";
    return all;
}

}  // namespace

GitSsh::GitSsh(const Paths& paths,
               const Build& build,
               const StringMap& environment,
               const std::string& url)
    : files_(paths) {
    constexpr std::uint32_t nobody = 65534;
    const GivenAgent agent = agent_for(build, environment, url);
    std::string socket = agent.socket;
    if (socket.empty()) {
        socket = files_.path() + "/keys";
        keys_ = std::make_unique<KeyAgent>(socket, agent.keys);
    }
    sys::ensure_directory(directory(), 0755);
    sys::replace_file(directory() + "/known_hosts", known_hosts(), 0644);
    forwarder_ =
        std::make_unique<AgentForwarder>(directory(), "agent", socket, 0600, Owner{nobody, nobody});
}

}  // namespace stack::build
