#pragma once

#include <stack/model.h>
#include <stack/paths.h>

#include <cstdint>
#include <string>

namespace stack::runtime {

/// The default filter of system calls for a process with these capabilities, as struct
/// sock_filter[]: Docker's set for known calls (EPERM), ENOSYS for calls that are not known here,
/// 32 bits of every compared argument (a family of 1<<32|38 is AF_ALG to the kernel), and no ABI
/// but x86-64's own (`int 0x80` and x32 end the process). Compiled once and kept in <state>/cache.
[[nodiscard]] std::string default_filter(const Paths& paths, std::uint64_t capabilities);

/// What the service asks for, for a process with these capabilities: the default filter, that of
/// its own profile, or none (""). Throws stack::Error where there is no filter of that profile.
[[nodiscard]] std::string filter_for(const Paths& paths,
                                     const Service& service,
                                     std::uint64_t capabilities);

}  // namespace stack::runtime
