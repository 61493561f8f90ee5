#pragma once

#include <string>

namespace stack::fetch {

/// Takes from this process what it does not need: new privileges, capabilities beyond owning files,
/// and (Landlock) writing anywhere but in `writable` directories. What a kernel lacks is left out.
void confine(const std::string& state, const std::string& run);

}  // namespace stack::fetch
