#pragma once

// The chains of the packet filter's tables. Pure.

#include "sys/nft_batch.h"

#include <vector>

namespace stack::network {

[[nodiscard]] const std::vector<sys::NftChain>& table_chains();

}  // namespace stack::network
