#include "cli/prune.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/image_commands.h"

namespace stack::cli {

std::string pruned_text(const std::string& kind, const Pruned& pruned) {
    if (pruned.removed.empty())
        return "";
    return "Deleted " + kind + ":\n" + join(pruned.removed, "\n") + "\n\n";
}

std::string reclaimed_text(std::int64_t bytes) {
    return "Total reclaimed space: " + format_bytes(bytes) + "\n";
}

bool may_remove(const std::string& what, bool force) {
    return force ||
           confirmed("WARNING! This will remove " + what + "\nAre you sure you want to continue?");
}

}  // namespace stack::cli
