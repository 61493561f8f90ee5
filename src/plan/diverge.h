#pragma once

// Is a container still what the stack file asks for? (compose.md section 3, "Recreate decision")

#include <stack/plan.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stack::plan {

struct Divergence {
    std::string reason;  // "configuration changed"
    std::vector<FieldChange> changes;
};

/// Why `container` must be made anew to be what `spec` describes; nullopt where it need not.
/// `image_id` is what the reference leads to now ("" where the image is not there).
[[nodiscard]] std::optional<Divergence> divergence(const ObservedContainer& container,
                                                   const ContainerSpec& spec,
                                                   const std::string& image_id);

/// The same for the images that it mounts: where one of `images` is another one than it has.
[[nodiscard]] std::optional<Divergence> mounts_other_image(
    const ObservedContainer& container, const std::vector<ObservedImage>& images);

/// What a container becomes without being made anew.
struct InPlace {
    Service service;     // of the container then
    std::string reason;  // "networks changed"
    std::vector<FieldChange> changes;
};

/// What can be changed while the container runs and is not as it should be: limits, restart policy,
/// and networks (by their real names) as far as divergence() has nothing against them. nullopt
/// where nothing is.
[[nodiscard]] std::optional<InPlace> change_in_place(
    const ObservedContainer& container,
    const RestartPolicy& restart,
    const Resources& resources,
    const std::map<std::string, NetworkAttachment>& networks);

}  // namespace stack::plan
