#pragma once

// What networks are in the kernel: bridges, their addresses and settings, and the tables of the
// packet filter.

#include <stack/paths.h>

#include "engine/network/elements.h"
#include "engine/network/networks.h"
#include "sys/netlink.h"
#include "sys/nft_batch.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stack::network {

/// The network namespace that the process is in when this is made. One for each Networks, kept: its
/// sockets cost more to open than one change to make, and the kernel closes one of the packet
/// filter only after an RCU grace period (6 ms, seen).
class Kernel {
  public:
    explicit Kernel(const Paths& paths);

    [[nodiscard]] sys::RouteSocket& routes() { return routes_; }

    /// The MTU of the link of the default route; 1500 where there is none.
    [[nodiscard]] int uplink_mtu();

    /// Postcondition: the bridge is there, up, with its addresses and settings. Throws where its
    /// name belongs to somebody else. Returns its index.
    std::uint32_t ensure_bridge(const NetworkRecord& network);
    /// Throws where the interface that a network with a driver lies on is not there.
    void require_parent(const NetworkRecord& network);
    /// Postcondition: neither the bridge nor a veth of the network is there.
    void remove_bridge(const NetworkRecord& network);

    /// Postcondition: the table has `after` in place of `before`. Where it is not as it should be
    /// for that (somebody flushed it), it is made anew from `whole`, which has `after` in it; no
    /// elements at all mean no table.
    void change_table(const Elements& before,
                      const Elements& after,
                      const std::function<Elements()>& whole);

    /// Postcondition: there is no table.
    void remove_table() { replace_table({}); }

    /// Compares the table with what should be there, and replaces it where it differs. Costs one
    /// small question while nobody has touched the nftables of the machine.
    /// Returns whether it did.
    bool reconcile_table(const std::function<Elements()>& wanted);

    /// The next reconcile_table() compares, whatever the generation: what should be there has
    /// changed.
    void distrust_table() { verified_generation_.reset(); }

  private:
    void replace_table(const Elements& whole);
    [[nodiscard]] bool is_table_right(const Elements& whole);

    std::string instance_;
    std::string table_;
    sys::RouteSocket routes_;
    sys::NetlinkSocket filter_;
    bool guards_bridges_ = true;  // false where the kernel has been found to have no such tables
    std::optional<std::uint32_t> verified_generation_;
};

/// Whether our table of that family is as the rules say and holds these elements, and no others.
/// While the kernel moves a set that has grown to a place with more room (its rhashtable does so in
/// its own time), a listing may lack some of it or have it twice: what differs is looked at again.
[[nodiscard]] bool is_table_in_force(sys::NetlinkSocket& filter,
                                     const std::string& table,
                                     const Elements& elements,
                                     sys::NftFamily family);

}  // namespace stack::network
