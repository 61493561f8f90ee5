#pragma once

// Which subnet a network gets and which address a container gets. Pure: what is taken comes in as
// values.

#include "base/ip.h"

#include <optional>
#include <string>
#include <vector>

namespace stack::network {

/// The first free /22 of 10.0.0.0/8 and 172.16.0.0/12, beginning at a place that `seed` decides, so
/// that a network mostly gets the same one again. `taken`: every route of the host and every
/// network of ours. Prefixes shorter than /8 say only "the way out" (a default route, also split
/// into halves as VPNs do) and take nothing. nullopt where all are taken.
[[nodiscard]] std::optional<IpPrefix> choose_subnet4(const std::string& seed,
                                                     const std::vector<IpPrefix>& taken);

/// A /64 of the unique local addresses (RFC 4193) that `seed` decides and nothing in `taken`
/// overlaps.
[[nodiscard]] IpPrefix choose_subnet6(const std::string& seed, const std::vector<IpPrefix>& taken);

/// What a network hands addresses out of.
struct AddressRange {
    IpPrefix subnet;
    IpPrefix range;                   // inside the subnet
    std::vector<IpAddress> reserved;  // gateway and auxiliary addresses
};

/// Whether a host of the subnet may bear the address: not its first, nor (IPv4) its last, nor a
/// reserved one.
[[nodiscard]] bool is_usable(const AddressRange& range, const IpAddress& address);

/// The lowest usable address that is neither in `leased` nor in `remembered`; where there is none,
/// the first of `remembered` (the one that was forgotten about longest) that is not leased; nullopt
/// where the range is full.
[[nodiscard]] std::optional<IpAddress> choose_address(const AddressRange& range,
                                                      const std::vector<IpAddress>& leased,
                                                      const std::vector<IpAddress>& remembered);

/// The hardware address that goes with an address, locally administered: neighbours' caches stay
/// right when an address moves to another container.
[[nodiscard]] std::string mac_for(const IpAddress& address);

/// The address that an interface with this hardware address has by itself (RFC 4291, appendix A).
[[nodiscard]] IpAddress link_local_for(const std::string& mac);

}  // namespace stack::network
