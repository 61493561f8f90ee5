#pragma once

// Interfaces of a container: one message to make each from outside, a few to configure it from
// inside (rtnetlink(7)).

#include "shim/spec.h"

#include <vector>

namespace stack::shim {

/// Makes the veth pairs; the inner ends appear in the network namespace of process `pid`,
/// unconfigured.
void make_interfaces(const std::vector<InterfaceSpec>& interfaces, int pid);

/// In the container's network namespace: brings up lo and the interfaces, with their addresses and
/// routes. `proc` is a procfs, where IPv6 is turned off on those that have no address of it; -1
/// where there are no interfaces.
void configure_interfaces(const std::vector<InterfaceSpec>& interfaces, int proc);

/// Inside: those with these names, first or second, go.
void remove_interfaces(const std::vector<std::string>& names);

/// The same place: the default routes that the interfaces name, in place of those there are.
void set_default_routes(const std::vector<InterfaceSpec>& interfaces);

}  // namespace stack::shim
