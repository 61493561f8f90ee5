#pragma once

// The systemd unit that brings stacks back after a reboot.

#include <stack/paths.h>

#include <string>

namespace stack::cli {

/// Each instance of the program (--root) has its own.
[[nodiscard]] std::string boot_unit_name(const Paths& paths);

/// `program`: where `stack` is.
[[nodiscard]] std::string boot_unit_text(const Paths& paths, const std::string& program);

}  // namespace stack::cli
