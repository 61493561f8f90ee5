#include "plan/host_ports.h"

#include "base/text.h"
#include "model/fields.h"
#include "plan/outcome.h"

#include <cstdint>

namespace stack::plan {
namespace {

/// Who comes later is to blame, where one of the two is there already.
std::string conflict(const Outcome& outcome, const std::string& one, const std::string& other) {
    const bool is_new = outcome.made.contains(one);
    if (is_new && outcome.made.contains(other))
        return "would be published by " + other + " and by " + one +
               ": bring up one of them, or give one another port";
    return "cannot be published by container " + (is_new ? one : other) + ": container " +
           (is_new ? other : one) + " has it";
}

}  // namespace

Plan with_ports_of_their_own(const Observed& observed, Plan plan) {
    const Outcome outcome = outcome_of(observed, plan);
    if (!outcome.changes)
        return plan;
    std::map<std::string, std::string> owners;  // containers, by the port
    for (const auto& [name, service] : outcome.services)
        for (const auto& port : service->ports) {
            if (service->network_mode == "host" ||
                parse_number<std::uint16_t>(port.published).value_or(0) == 0)
                continue;  // none, or any free one
            const std::string place = (port.host_ip.empty() ? "" : port.host_ip + ":") +
                                      port.published + "/" +
                                      std::string(model::name_of(port.protocol));
            const auto [owner, is_new] = owners.emplace(place, name);
            if (!is_new && owner->second != name)
                plan.errors.push_back("port " + place + " of the host " +
                                      conflict(outcome, name, owner->second));
        }
    if (!plan.errors.empty())
        plan.actions.clear();
    return plan;
}

}  // namespace stack::plan
