#include "engine/build/cache_policy.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace stack::build {

LayerCost cost_in(const image::Store& store) {
    std::set<std::string> of_images;
    for (const auto& image : store.list())
        of_images.insert(image.layers.begin(), image.layers.end());
    return [&store, of_images](const std::string& layer) -> std::int64_t {
        const bool only_here =
            !layer.empty() && !of_images.contains(layer) && store.has_layer(layer);
        return only_here ? store.layer(layer).size : 0;
    };
}

Strings steps_to_forget(std::vector<CachedStep> steps,
                        const CachePolicy& policy,
                        const LayerCost& cost,
                        std::int64_t now) {
    std::sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) {
        return std::tie(b.used, a.key) < std::tie(a.used, b.key);
    });
    Strings forgotten;
    std::set<std::string> counted;  // a layer is on the disk once
    std::int64_t sum = 0;
    for (const auto& step : steps) {
        const std::int64_t bytes = cost(step.layer);
        if (counted.insert(step.layer).second)
            sum += bytes;
        const bool eligible = policy.all || bytes > 0;
        const bool old = !policy.unused_for || now - step.used >= *policy.unused_for;
        const bool over = !policy.most_bytes || sum > *policy.most_bytes;
        if (eligible && old && over)
            forgotten.push_back(step.key);
    }
    return forgotten;
}

Strings steps_over_bounds(const std::vector<CachedStep>& steps,
                          const LayerCost& cost,
                          std::int64_t now) {
    constexpr std::int64_t most = 20'000'000'000;
    Strings forgotten =
        steps_to_forget(steps, {.unused_for = longest_unused, .all = true}, cost, now);
    const Strings too_many = steps_to_forget(steps, {.most_bytes = most}, cost, now);
    forgotten.insert(forgotten.end(), too_many.begin(), too_many.end());
    return forgotten;
}

}  // namespace stack::build
