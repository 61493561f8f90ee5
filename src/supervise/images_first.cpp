#include "supervise/images_first.h"

#include "model/source_digest.h"

#include <algorithm>
#include <map>
#include <string>
#include <variant>

namespace stack::supervise {
namespace {

bool is_present(const Observed& observed, const std::string& reference) {
    return std::any_of(observed.images.begin(), observed.images.end(), [&](const auto& image) {
        return image.reference == reference;
    });
}

/// The pulls of `plan`, and with `builds` also these, in their order.
Plan only_images(const Plan& plan, bool builds) {
    Plan images;
    std::map<std::size_t, std::size_t> places;  // in `images`, by the place in `plan`
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        PlannedAction action = plan.actions[i];
        if (!std::holds_alternative<PullImage>(action.action) &&
            (!builds || !std::holds_alternative<BuildImage>(action.action)))
            continue;
        for (auto* indices : {&action.after, &action.tolerates}) {
            std::erase_if(*indices, [&](std::size_t earlier) { return !places.contains(earlier); });
            for (auto& earlier : *indices)
                earlier = places.at(earlier);
        }
        places[i] = images.actions.size();
        images.actions.push_back(std::move(action));
    }
    return images;
}

}  // namespace

std::optional<ImagesFirst> images_first(const Request& request,
                                        const Plan& plan,
                                        const Observed& observed) {
    if (request.verb != "up")
        return std::nullopt;
    bool pulls = false;
    bool builds = false;
    for (const auto& planned : plan.actions)
        if (const auto* pull = std::get_if<PullImage>(&planned.action))
            pulls = pulls || is_present(observed, pull->reference);
        else if (const auto* build = std::get_if<BuildImage>(&planned.action))
            builds = builds || (!model::tells_content(build->source_digest) &&
                                is_present(observed, build->tag));
    if (!pulls && !builds)
        return std::nullopt;
    ImagesFirst first{only_images(plan, builds), request};
    first.rest.up.pull = "missing";
    if (builds) {
        first.rest.up.build = false;
        first.rest.up.no_build = true;  // all have been
    }
    return first;
}

}  // namespace stack::supervise
