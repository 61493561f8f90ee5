#include <stack/paths.h>

#include "base/digest.h"

namespace stack {

Paths paths_for(const std::string& root) {
    Paths paths;
    if (root.empty() || root == paths.state)
        return paths;
    return {root, root + "/run", sha256_hex(root).substr(0, 8)};
}

}  // namespace stack
