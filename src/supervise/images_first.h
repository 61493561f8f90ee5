#pragma once

// An `up` in two parts, where only the images that it pulls or builds will tell which containers
// are to be made anew.

#include <stack/supervise.h>

#include <optional>

namespace stack::supervise {

struct ImagesFirst {
    Plan plan;     // the pulls, or the pulls and builds, and nothing else
    Request rest;  // the same again when that is done, which plans with the images that came of it
};

/// Where a pull of `plan` may bring a newer image than containers were made from, or a build may
/// give the very one that they have, since nobody knows beforehand what it is made from (a context
/// from git). So nothing starts, or is waited for, with an image that is about to be an old one,
/// and nothing is made anew with the image that it has. nullopt: the plan is known whole.
[[nodiscard]] std::optional<ImagesFirst> images_first(const Request& request,
                                                      const Plan& plan,
                                                      const Observed& observed);

}  // namespace stack::supervise
