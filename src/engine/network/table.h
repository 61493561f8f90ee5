#pragma once

// The packet filter of an instance: one table whose size does not grow with networks, containers or
// ports, because all that changes are elements of its sets and maps.

#include "engine/network/elements.h"
#include "sys/nft_batch.h"

#include <string>

namespace stack::network {

/// `stack`, or `stack_<instance>`.
[[nodiscard]] std::string table_name(const std::string& instance);

/// Replaces the whole table, or makes it; no elements at all mean no table.
[[nodiscard]] sys::NftBatch table_replacement(const std::string& table, const Elements& elements);

/// Turns a table that has the elements `before` into one that has `after`; empty where nothing is
/// to be done. What stays is added again, which does nothing, or fails where the table has been
/// flushed.
[[nodiscard]] sys::NftBatch table_edits(const std::string& table,
                                        const Elements& before,
                                        const Elements& after);

/// Whether a table has our chains and rules and no others, and exactly these elements.
[[nodiscard]] bool is_in_force(const sys::NftListing& listing, const Elements& elements);

}  // namespace stack::network
