#pragma once

// One of a service's volumes_from: SERVICE[:ro] or container:NAME[:ro].

#include <optional>
#include <string>
#include <string_view>

namespace stack::model {

struct VolumesFrom {
    std::string name;
    bool is_container = false;  // the name of a container, not of a service of the stack
    bool read_only = false;     // whatever the lender may do
};

/// nullopt: the mode is neither `ro` nor `rw`, or there is no name.
[[nodiscard]] std::optional<VolumesFrom> parse_volumes_from(std::string_view text);

}  // namespace stack::model
