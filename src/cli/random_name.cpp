#include "cli/random_name.h"

#include "base/random.h"

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

std::size_t random_below(std::size_t limit) {
    constexpr std::size_t digits = 8;
    constexpr int hexadecimal = 16;
    return std::stoul(random_hex(digits), nullptr, hexadecimal) % limit;
}

}  // namespace

std::string random_name(const std::function<bool(const std::string&)>& is_taken) {
    const std::string name = std::string(qualities[random_below(qualities.size())]) + "_" +
                             things[random_below(things.size())];
    if (!is_taken(name))
        return name;
    for (int number = 2;; ++number)
        if (const std::string numbered = name + std::to_string(number); !is_taken(numbered))
            return numbered;
}

}  // namespace stack::cli
