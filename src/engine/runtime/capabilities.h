#pragma once

#include <stack/model.h>

#include <cstdint>

namespace stack::runtime {

/// CAP_CHOWN and so on, in the order of their numbers.
[[nodiscard]] Strings capability_names();

/// The set a container keeps (capabilities(7) numbers as bits): Docker's default, `cap_add` more,
/// `cap_drop` fewer; ALL stands for every one. Throws stack::Error naming one that does not exist.
[[nodiscard]] std::uint64_t capabilities_for(const Strings& add,
                                             const Strings& drop,
                                             bool privileged);

}  // namespace stack::runtime
