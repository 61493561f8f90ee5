#pragma once

// The keys that leave a container to itself: found in what is typed, kept from it.

#include <optional>
#include <string>
#include <string_view>

namespace stack::cli {

/// The bytes of a list of keys such as `ctrl-p,ctrl-q`: each a character or `ctrl-` and one of a to
/// z, @, [, \, ], ^ or _. nullopt where it is no such list.
[[nodiscard]] std::optional<std::string> parse_keys(std::string_view list);

class DetachKeys {
  public:
    /// Empty: there are none.
    explicit DetachKeys(std::string sequence) : sequence_(std::move(sequence)) {}

    /// What of it goes to the container. A beginning of the sequence is held back until the next
    /// key; what comes after the sequence is dropped.
    [[nodiscard]] std::string pass(std::string_view typed);

    /// Whether the whole sequence has been typed.
    [[nodiscard]] bool typed() const { return !sequence_.empty() && held_ == sequence_.size(); }

  private:
    std::string sequence_;
    std::size_t held_ = 0;  // how much of it has been typed last
};

}  // namespace stack::cli
