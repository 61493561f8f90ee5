#pragma once

// The file system of an OCI bundle: what its config lists, in that order, and no more. Built in
// steps, since others act in between.

#include "shim/rootfs.h"
#include "shim/spec.h"

#include <vector>

namespace stack::shim {

class BundleRoot {
  public:
    /// Opens what comes from the host, as whoever this process is there.
    explicit BundleRoot(const Spec& spec);

    /// Mounts everything, as the root of the container's users. Gives up naming what fails.
    [[nodiscard]] Terminal build();

    /// The change of root.
    void enter() const;

  private:
    void mount(std::size_t number);
    void fill_dev() const;
    void make_node(const NodeSpec& node, int source) const;

    const Spec& spec_;
    int root_ = -1;
    int place_ = -1;                 // where the root is mounted
    std::vector<int> sources_;       // of spec.mounts; -1: not of the host
    std::vector<int> node_sources_;  // of the nodes, where this process may not make any
};

}  // namespace stack::shim
