#include "plan/host_ports.h"

#include "base/text.h"
#include "model/fields.h"
#include "plan/outcome.h"

#include <cstdint>

namespace stack::plan {

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
                plan.errors.push_back("port " + place + " of the host would be published by " +
                                      owner->second + " and by " + name +
                                      ": bring up one of them, or give one another port");
        }
    if (!plan.errors.empty())
        plan.actions.clear();
    return plan;
}

}  // namespace stack::plan
