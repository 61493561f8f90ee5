#include "engine/runtime/user_range.h"

#include <stack/error.h>

#include "shim/spec.h"

namespace stack::runtime {
namespace {

constexpr std::uint32_t number_of_ranges =
    (end_of_user_ranges - first_user_range) / shim::ids_of_users;

/// FNV-1a: the same in every version of the program.
std::uint32_t hash_of(const std::string& text) {
    std::uint32_t hash = 2'166'136'261;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
    return hash;
}

}  // namespace

std::uint32_t choose_user_range(const std::string& container_id,
                                const std::set<std::uint32_t>& taken) {
    const std::uint32_t wanted = hash_of(container_id) % number_of_ranges;
    for (std::uint32_t step = 0; step < number_of_ranges; ++step) {
        const std::uint32_t number = (wanted + step) % number_of_ranges;
        const std::uint32_t first = first_user_range + number * shim::ids_of_users;
        if (!taken.contains(first))
            return first;
    }
    throw Error("all " + std::to_string(number_of_ranges) +
                " ranges of user ids belong to containers with `userns_mode: private`: remove "
                "containers that are not needed any more, or leave it out");
}

}  // namespace stack::runtime
