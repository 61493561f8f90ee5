#include "engine/build/given_agent.h"

#include "base/text.h"
#include "sys/file.h"
#include "sys/socket_path.h"

#include <algorithm>

namespace stack::build {
namespace {

std::string place_of(const Build& build, const StringMap& environment, const std::string& id) {
    for (const auto& given : build.ssh) {
        const auto [name, place] = split_once(given, '=');
        if (name != id)
            continue;
        const auto variable = environment.find("SSH_AUTH_SOCK");
        return place.empty() && variable != environment.end() ? variable->second : place;
    }
    return {};
}

}  // namespace

std::optional<GivenAgent> find_agent(const Build& build,
                                     const StringMap& environment,
                                     const std::string& id) {
    const std::string place = place_of(build, environment, id);
    if (place.empty())
        return std::nullopt;
    GivenAgent agent;
    if (sys::is_socket(place)) {
        agent.socket = place;
        return agent;
    }
    agent.keys = split(place, ',');
    const auto missing = std::find_if_not(agent.keys.begin(), agent.keys.end(), sys::exists);
    if (missing != agent.keys.end())
        agent.missing = *missing;
    return agent;
}

}  // namespace stack::build
