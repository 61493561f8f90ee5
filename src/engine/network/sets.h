#pragma once

// The sets and maps of the packet filter's tables, and their elements as the kernel has them. Pure.

#include "sys/nft_batch.h"

#include <set>
#include <string>
#include <vector>

namespace stack::network {

[[nodiscard]] const std::vector<sys::NftSet>& table_sets();

/// The elements of one of them, from the form that elements.h describes. A subnet among plain keys
/// is two: where it begins, and where it is over.
[[nodiscard]] sys::NftElements encode_elements(const std::string& set,
                                               const std::set<std::string>& elements);

}  // namespace stack::network
