#include "supervise/requests.h"

#include <stack/error.h>

#include "base/signals.h"

#include <algorithm>
#include <csignal>

namespace stack::supervise {
namespace {

/// Whether the request means that the container ends and stays so. It may have ended already, by
/// our own hand.
bool ends(const Request& request, const ObservedContainer& container) {
    const bool is_down = request.verb == "down";
    const Strings& named = is_down ? request.down.services : request.services;
    if (!named.empty() && std::find(named.begin(), named.end(), container.service) == named.end())
        return false;
    if (request.verb != "kill")
        return is_down || request.verb == "stop";
    const std::string& own = container.service_config->stop_signal;
    const auto signal = parse_signal(request.signal);
    return request.signal.empty() || signal == SIGKILL ||
           signal == parse_signal(own.empty() ? "TERM" : own);
}

}  // namespace

Plan plan_for(const Request& request, const Stack& wanted, const Observed& observed, Time now) {
    PlanOptions options = request.up;
    options.now = now;
    if (request.verb == "up")
        return plan_up(wanted, observed, options);
    if (request.verb == "run")
        return plan_run(wanted, observed, options, request.run);
    if (request.verb == "down")
        return plan_down(wanted, observed, request.down);
    if (request.verb == "start")
        return plan_start(wanted, observed, request.services, request.up);
    if (request.verb == "stop")
        return plan_stop(wanted, observed, request.services, request.timeout);
    if (request.verb == "restart")
        return plan_restart(wanted, observed, request.services, request.timeout, request.no_deps);
    if (request.verb == "kill")
        return plan_kill(wanted, observed, request.services, request.signal);
    if (request.verb == "pause" || request.verb == "unpause")
        return plan_pause(wanted, observed, request.services, request.verb == "pause");
    if (request.verb == keep)
        return plan_keep(wanted, observed, request.up);
    if (request.verb == "rm")
        return plan_remove(wanted, observed, request.services, request.stop, request.volumes);
    throw Error(std::make_error_code(std::errc::io_error),
                "the supervisor knows no \"" + request.verb + "\"");
}

Observed those_that_run(Observed observed) {
    std::erase_if(observed.containers, [](const ObservedContainer& container) {
        return container.state != ContainerState::running;
    });
    return observed;
}

bool renews(const Request& request) {
    return request.verb == "up" || request.verb == "run";
}

bool starts(const Request& request, const ObservedContainer& container) {
    const bool is_up = request.verb == "up";
    if (!is_up && request.verb != "start" && request.verb != "restart")
        return false;
    const Strings& services = is_up ? request.up.services : request.services;
    return services.empty() ||
           std::find(services.begin(), services.end(), container.service) != services.end();
}

bool outdates(const Request& request) {
    static const std::set<std::string> verbs{"up", "down", "stop", "restart", "rm"};
    static const std::set<std::string> ends{"", "KILL", "SIGKILL", "9", "TERM", "SIGTERM", "15"};
    return verbs.contains(request.verb) ||
           (request.verb == "kill" && ends.contains(request.signal));
}

std::set<std::string> ending_ids(const Request& request,
                                 const Plan& plan,
                                 const Observed& observed) {
    std::set<std::string> ids;
    for (const auto& container : observed.containers)
        if (ends(request, container))
            ids.insert(container.id);
    for (const auto& planned : plan.actions)
        if (const auto* stop = std::get_if<StopContainer>(&planned.action))
            ids.insert(stop->id);
        else if (const auto* remove = std::get_if<RemoveContainer>(&planned.action))
            ids.insert(remove->id);
    return ids;
}

Stack coming_up(const Plan& plan, const Stack& wanted, const Observed& observed) {
    Stack stack;
    stack.name = wanted.name;
    const auto add = [&](const std::string& service) {
        if (const auto found = wanted.services.find(service); found != wanted.services.end())
            stack.services.insert(*found);
    };
    std::set<std::string> started;
    for (const auto& planned : plan.actions)
        if (const auto* create = std::get_if<CreateContainer>(&planned.action))
            add(create->spec->service.name);
        else if (const auto* start = std::get_if<StartContainer>(&planned.action))
            started.insert(start->name);
    for (const auto& container : observed.containers)
        if (started.contains(container.name))
            add(container.service);
    return stack;
}

}  // namespace stack::supervise
