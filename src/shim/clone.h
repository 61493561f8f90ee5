#pragma once

// The one clone3(2) of a container.

#include "shim/spec.h"

#include <functional>

namespace stack::shim {

/// The first process of a container, seen by its parent.
struct Cloned {
    int pid = 0;
    int pidfd = -1;
    int channel = -1;  // SOCK_SEQPACKET, to the set-up stage
};

/// Runs `stage`, which never returns, in a child with the namespaces and the group that `spec`
/// asks for.
[[nodiscard]] Cloned clone_stage(const Spec& spec, const std::function<void(int channel)>& stage);

/// Makes this process one of the namespace, where `space` is one to be joined.
void join_namespace(const NamespaceSpec& space, int type, const char* what);

}  // namespace stack::shim
