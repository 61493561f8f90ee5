#pragma once

#include <cstdint>
#include <string>

namespace stack::runtime {

/// The default filter for a process with these capabilities (seccomp.h says what it holds), as
/// struct sock_filter[].
[[nodiscard]] std::string compile_default(std::uint64_t capabilities);

}  // namespace stack::runtime
