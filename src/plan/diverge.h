#pragma once

// Is a container still what the stack file asks for? (compose.md section 3, "Recreate decision")

#include <stack/plan.h>

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

/// What differs between them and can be changed while the container runs (limits, restart policy).
[[nodiscard]] std::vector<FieldChange> changes_in_place(const ObservedContainer& container,
                                                        const Service& service);

}  // namespace stack::plan
