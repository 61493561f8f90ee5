#pragma once

#include "oci/fields.h"

namespace stack::oci {

/// `linux.seccomp` as struct sock_filter[]; "" where there is none. Calls that this machine has no
/// number for are left out, as the runtime-spec wants it.
[[nodiscard]] std::string filter_for(const Json& seccomp, Strings& warnings);

}  // namespace stack::oci
