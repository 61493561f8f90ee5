#include "supervise/drift.h"

#include "plan/resolve.h"
#include "supervise/requests.h"

#include <algorithm>
#include <utility>

namespace stack::supervise {

Drift::Drift(Timers& timers, Paths paths, std::string project)
    : timers_(timers), paths_(std::move(paths)), project_(std::move(project)) {}

void Drift::adopt() {
    kept_ = load_kept(paths_, project_);
}

namespace {

/// The services that a request names; none: all.
const Strings& named_by(const Request& request) {
    return request.verb == "up"     ? request.up.services
           : request.verb == "down" ? request.down.services
                                    : request.services;
}

/// How many containers the service is to have from now on.
int wanted_of(const std::string& service, const Request& request, const Stack& desired) {
    const auto found = desired.services.find(service);
    return found == desired.services.end() ? 0 : plan::scale_of(found->second, request.up);
}

}  // namespace

void Drift::forget(const Request& request, const Stack& desired) {
    const Strings& services = named_by(request);
    const bool may_lessen = request.verb != "restart" && outdates(request);
    if (may_lessen && services.empty())
        kept_.clear();
    for (const auto& service : services)
        if (may_lessen)
            kept_.erase(service);
    if (renews(request))
        for (auto& [service, count] : kept_)
            count = std::min(count, wanted_of(service, request, desired));
    store_kept(paths_, project_, kept_);
}

void Drift::note(const Stack& desired, const Observed& observed) {
    Kept living;
    for (const auto& container : observed.containers) {
        const bool lives = is_up(container) || (container.state == ContainerState::exited &&
                                                !container.stopped_by_user);
        if (lives && !container.oneoff && desired.services.contains(container.service) &&
            container.service_config->restart.condition != RestartCondition::no)
            ++living[container.service];
    }
    for (const auto& [service, count] : living)
        kept_[service] = std::max(kept_[service], count);
    store_kept(paths_, project_, kept_);
}

std::optional<Request> Drift::replacement(const Stack& desired, const Observed& observed) const {
    if (timers_.moment() < next_replacement_)
        return std::nullopt;
    Kept present;
    for (const auto& container : observed.containers)
        if (!container.oneoff && container.state != ContainerState::created)  // or it never began
            ++present[container.service];
    Request request;
    request.verb = keep;
    request.up.no_deps = true;
    for (const auto& [service, count] : kept_)
        if (present[service] < count && desired.services.contains(service)) {
            request.up.services.push_back(service);
            request.up.scale[service] = count;
            if (present[service] == 0)
                request.services.push_back(service);  // who shares with it has lost it
        }
    return request.up.services.empty() ? std::nullopt : std::optional(std::move(request));
}

void Drift::replaced(bool succeeded) {
    next_replacement_ = succeeded ? Moment{} : timers_.moment() + resync;
}

std::optional<Request> Drift::rescue(const Stack& desired, const Observed& observed) {
    if (timers_.moment() < next_rescue_)
        return std::nullopt;
    Request request;
    request.verb = "restart";
    request.services = stranded_services(desired, observed);
    request.no_deps = true;  // only what shares namespaces with them goes along
    if (request.services.empty())
        return std::nullopt;
    next_rescue_ = timers_.moment() + resync;
    return request;
}

}  // namespace stack::supervise
