#pragma once

// The host's ids that the users of one container with a user namespace of its own are. Pure.

#include <cstdint>
#include <set>
#include <string>

namespace stack::runtime {

/// Where they begin; each holds shim::ids_of_users. Nobody gives ids out between these two:
/// /etc/subuid and systemd end below, the directories of companies (sssd) at 2,000,200,000, and
/// above 2^31 some programs read negative numbers.
constexpr std::uint32_t first_user_range = 0x7800'0000;
constexpr std::uint32_t end_of_user_ranges = 0x7FFE'0000;

/// The first id of a range that is none of `taken`: the one that the container's id leads to, or
/// the next, so that containers of another root directory, of which this one knows nothing, are
/// seldom met. Throws where there is none left.
[[nodiscard]] std::uint32_t choose_user_range(const std::string& container_id,
                                              const std::set<std::uint32_t>& taken);

}  // namespace stack::runtime
