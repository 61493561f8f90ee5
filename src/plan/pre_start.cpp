#include "plan/pre_start.h"

#include "plan/resolve.h"

#include <string>
#include <utility>

namespace stack::plan {

void PreStart::plan(const Service& service) {
    std::map<int, Node> last;  // of each replica
    for (std::size_t index = 0; index < service.pre_start.size(); ++index) {
        std::optional<Node> shared;
        bool is_planned = false;
        for (auto& slot : draft_.services[service.name].slots) {
            if (!slot.start)
                continue;
            const bool is_own = service.pre_start[index].per_replica;
            if (is_own || !is_planned)
                shared = plan_hook(service, index, slot, last);
            is_planned = true;
            if (!shared)
                continue;
            draft_.builder.order(*shared, *slot.start);
            last[slot.number] = *shared;
        }
    }
}

/// The node at whose end it has run well; none where it has already.
std::optional<Node> PreStart::plan_hook(const Service& service,
                                        std::size_t index,
                                        const Slot& slot,
                                        const std::map<int, Node>& last) {
    const ContainerSpec spec = pre_start_spec(draft_.desired, service, index, slot.number);
    constexpr const char* reason = "prepares the start";
    for (const auto& container : draft_.observed.containers) {
        if (container.name != spec.name || container.project != draft_.desired.name)
            continue;
        if (container.state == ContainerState::exited && container.exit.code == 0 &&
            container.config_digest == spec.config_digest)
            return std::nullopt;
        turnover_.remove(container, reason);
    }
    const Node create = turnover_.create_hook(service, CreateContainer{spec}, reason);
    const Node run = turnover_.start(spec.service, spec.name, reason);
    draft_.builder.order(create, run);
    if (const auto own = turnover_.creation(slot.name))
        draft_.builder.order(*own, run);
    if (slot.stop)
        draft_.builder.order(*slot.stop, run);
    if (const auto before = last.find(slot.number); before != last.end())
        draft_.builder.order(before->second, run);
    const Node done =
        draft_.builder.add(AwaitCompleted{spec.name}, "container/" + spec.name, reason);
    draft_.builder.order(run, done);
    return done;
}

}  // namespace stack::plan
