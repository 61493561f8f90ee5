#pragma once

#include "shim/spec.h"

#include <vector>

namespace stack::shim {

/// Binds each port and leaves the sockets open, so that nobody else gets it and a second container
/// is refused at once. Connections never reach them: the kernel's map sends them on to the
/// container. Gives up naming the port where it is taken.
void reserve_ports(const std::vector<PortSpec>& ports);

}  // namespace stack::shim
