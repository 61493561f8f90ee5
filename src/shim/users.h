#pragma once

// The user namespace of a container (user_namespaces(7)), on its way into it and as whoever has
// rights outside.

#include "shim/spec.h"

namespace stack::shim {

/// Gives the namespace of process `pid` its ids, where that is its own.
void map_users(const Spec& spec, int pid);

/// Those that a user namespace takes from whoever makes it, as the most that all in it may have
/// together (ucounts): to be called before. Of this process.
void raise_shared_limits(const std::vector<LimitSpec>& limits);

/// More than the host's hard limits is for who has rights there, as a container's root may not have
/// any more. `pid`: 0 is this process.
void raise_limits(const std::vector<LimitSpec>& limits, int pid);

/// Streams that the container is to have become its root's, who may give them to its other users.
void give_streams(const std::vector<int>& streams, std::uint32_t root_id);

/// From here on what this process makes belongs to the root of the namespace that it is in.
void become_root();

}  // namespace stack::shim
