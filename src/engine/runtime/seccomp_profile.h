#pragma once

#include "model/seccomp_profile.h"

#include <cstdint>
#include <string>

namespace stack::runtime {

/// The version of the kernel that runs here.
[[nodiscard]] KernelVersion own_kernel();

/// The filter that the profile is for a process with these capabilities on that kernel, as struct
/// sock_filter[]. Calls that this machine has no number for are left out. Throws stack::Error,
/// which begins with `what`, where libseccomp cannot make it.
[[nodiscard]] std::string compile_profile(const SeccompProfile& profile,
                                          std::uint64_t capabilities,
                                          const KernelVersion& kernel,
                                          const std::string& what);

}  // namespace stack::runtime
