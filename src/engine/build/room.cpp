#include "engine/build/room.h"

#include <stack/error.h>

#include "base/log.h"
#include "engine/build/downloads.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

namespace stack::build {
namespace {

std::vector<CachedStep> weighed(const std::vector<Holding>& holdings) {
    std::vector<CachedStep> steps;
    for (const auto& holding : holdings)
        steps.push_back(holding.step);
    return steps;
}

/// Forgets these, and then what is on the disk for them alone.
Room forget(const Paths& paths,
            image::Store& store,
            const std::vector<Holding>& holdings,
            const Strings& keys,
            const image::FindInUse& find_in_use) {
    const std::set<std::string> chosen(keys.begin(), keys.end());
    Room room;
    for (const auto& holding : holdings) {
        if (!chosen.contains(holding.step.key))
            continue;
        if (holding.kept)
            room.freed += forget(paths, *holding.kept);
        else
            room.steps.push_back(holding.step.key);
    }
    StepCache(paths).forget(room.steps);
    room.freed += store.prune([](const image::Image&) { return false; }, find_in_use).freed;
    return room;
}

void forget_over_bounds(const Paths& paths, const image::FindInUse& find_in_use) {
    image::Store store(paths);
    const auto holdings = list_holdings(paths);
    const Strings keys =
        steps_over_bounds(weighed(holdings), cost_of(store, holdings), std::time(nullptr));
    static_cast<void>(forget(paths, store, holdings, keys, find_in_use));
    static_cast<void>(Downloads(paths).forget(longest_unused));
}

}  // namespace

std::vector<Holding> list_holdings(const Paths& paths) {
    std::vector<Holding> all;
    for (const auto& step : StepCache(paths).steps())
        all.push_back({step, "step", step.key, std::nullopt});
    for (const auto& kept : list_kept(paths)) {
        const std::string kind = to_text(kept.kind);
        const std::string key = kind + " " + kept.name;
        all.push_back({{key, key, kept.used}, kind, kept.id, kept});
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.step.used > b.step.used;
    });
    return all;
}

LayerCost cost_of(const image::Store& store, const std::vector<Holding>& holdings) {
    std::map<std::string, std::int64_t> bytes;
    for (const auto& holding : holdings)
        if (holding.kept)
            bytes[holding.step.layer] = holding.kept->bytes;
    return [bytes, cost = cost_in(store)](const std::string& layer) {
        const auto found = bytes.find(layer);
        return found == bytes.end() ? cost(layer) : found->second;
    };
}

Room make_room(const Paths& paths, const CachePolicy& policy, const image::FindInUse& find_in_use) {
    image::Store store(paths);
    const auto holdings = list_holdings(paths);
    const Strings keys =
        steps_to_forget(weighed(holdings), policy, cost_of(store, holdings), std::time(nullptr));
    Room room = forget(paths, store, holdings, keys, find_in_use);
    if (!policy.most_bytes)  // contents that newer ones took the place of
        room.freed += Downloads(paths).forget(policy.unused_for.value_or(0));
    return room;
}

void keep_within_bounds(const Paths& paths, const image::FindInUse& find_in_use) {
    try {
        if (StepCache(paths).may_look_after_itself())
            forget_over_bounds(paths, find_in_use);
    } catch (const Error& error) {
        log::warn(std::string("the build cache cannot be kept within its bounds: ") + error.what());
    }
}

}  // namespace stack::build
