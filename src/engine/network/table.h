#pragma once

// The packet filter of an instance: a table of the inet family and one of the bridge family, whose
// size does not grow with networks, containers or ports, because all that changes are elements of
// their sets and maps.

#include "engine/network/elements.h"
#include "sys/nft_batch.h"

#include <string>

namespace stack::network {

/// `stack`, or `stack_<instance>`: both tables.
[[nodiscard]] std::string table_name(const std::string& instance);

/// Replaces the whole tables, or makes them; no elements at all mean no tables. Not `on_bridges`:
/// that of the bridge family is left out, which some kernels do not have.
[[nodiscard]] sys::NftBatch table_replacement(const std::string& table,
                                              const Elements& elements,
                                              bool on_bridges = true);

/// Turns tables that have the elements `before` into such that have `after`; empty where nothing is
/// to be done. What stays is added again, which does nothing, or fails where the table has been
/// flushed.
[[nodiscard]] sys::NftBatch table_edits(const std::string& table,
                                        const Elements& before,
                                        const Elements& after,
                                        bool on_bridges = true);

/// Whether the table of a family has our chains and rules and no others, and exactly these
/// elements.
[[nodiscard]] bool is_in_force(const sys::NftListing& listing,
                               const Elements& elements,
                               sys::NftFamily family = sys::NftFamily::inet);

}  // namespace stack::network
