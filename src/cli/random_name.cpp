#include "cli/random_name.h"

#include <array>

namespace stack::cli {
namespace {

constexpr std::array<const char*, 48> qualities{
    "able",   "amber",   "bold",   "brave",  "breezy", "bright", "brisk",  "calm",
    "clear",  "clever",  "cosy",   "crisp",  "dapper", "eager",  "early",  "fair",
    "fleet",  "fond",    "gentle", "glad",   "golden", "happy",  "hardy",  "keen",
    "kind",   "lively",  "lucid",  "mellow", "merry",  "mild",   "modest", "neat",
    "nimble", "patient", "placid", "plucky", "proud",  "quiet",  "rapid",  "ready",
    "sharp",  "silver",  "smart",  "steady", "sunny",  "tidy",   "vivid",  "warm"};

constexpr std::array<const char*, 48> things{
    "anchor", "badger",  "beacon", "birch",   "bridge",  "brook",  "canyon",  "cedar",
    "comet",  "coral",   "crane",  "delta",   "ember",   "falcon", "fern",    "finch",
    "fjord",  "forest",  "garden", "glade",   "harbour", "heron",  "island",  "juniper",
    "lagoon", "lantern", "maple",  "marten",  "meadow",  "mill",   "orchard", "otter",
    "pebble", "pine",    "plover", "prairie", "quarry",  "raven",  "reef",    "ridge",
    "river",  "sparrow", "spruce", "summit",  "tern",    "valley", "willow",  "wren"};

}  // namespace

std::string random_name(std::uint32_t seed,
                        const std::function<bool(const std::string&)>& is_taken) {
    // It has no factor in common with the number of names: every seed in a row has another one, and
    // neighbours are far from each other.
    constexpr std::size_t step = 1009;
    constexpr std::size_t names = qualities.size() * things.size();
    const std::size_t index = seed % names * step % names;
    const std::string name =
        std::string(qualities[index / things.size()]) + "_" + things[index % things.size()];
    if (!is_taken(name))
        return name;
    for (int number = 2;; ++number)
        if (const std::string numbered = name + std::to_string(number); !is_taken(numbered))
            return numbered;
}

}  // namespace stack::cli
