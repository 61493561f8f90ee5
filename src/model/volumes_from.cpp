#include "model/volumes_from.h"

#include "base/text.h"

#include <tuple>

namespace stack::model {

std::optional<VolumesFrom> parse_volumes_from(std::string_view text) {
    constexpr std::string_view container = "container:";
    VolumesFrom from;
    from.is_container = text.starts_with(container);
    if (from.is_container)
        text.remove_prefix(container.size());
    std::string mode;
    std::tie(from.name, mode) = split_once(text, ':');
    from.read_only = mode == "ro";
    const bool is_whole = mode.empty() ? !text.ends_with(':') : mode == "ro" || mode == "rw";
    return is_whole && !from.name.empty() ? std::optional(from) : std::nullopt;
}

}  // namespace stack::model
