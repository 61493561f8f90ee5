#pragma once

// Reading values out of nodes: each reader says what it expected where it did not get it, and goes
// on.

#include <stack/model.h>

#include "loader/node.h"
#include "loader/reporter.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::loader {

/// The numbers from `least` to `most`.
struct Range {
    std::int64_t least = std::numeric_limits<std::int64_t>::min();
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

constexpr Range any_int{std::numeric_limits<int>::min(), std::numeric_limits<int>::max()};
constexpr Range natural{0, std::numeric_limits<int>::max()};
constexpr Range or_unlimited{-1};                 // -1: no limit
constexpr Range number_of_containers{0, 10'000};  // of a service

/// The keys of one mapping, taken one by one; what is left at the end is unknown. Keys are
/// literals.
class Object {
  public:
    /// `what` names it in messages: "service `web`".
    Object(const Node& node, std::string what, Reporter& reporter);
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    /// Complains of keys that nobody took; `x-…` are everybody's.
    ~Object();

    /// nullptr where the key is absent or null.
    const Node* take(std::string_view key);
    /// Also where it is null.
    const Node* take_even_null(std::string_view key);

    /// Complains in those words where the key is absent or null, unless a misspelt one stands for
    /// it.
    const Node* need(std::string_view key, std::string complaint, std::string hint = {});

    /// Whether somebody asked for the key.
    [[nodiscard]] bool knows(std::string_view key) const;

    /// Says of each of the keys that is there that nothing acts on it.
    void warn_ignored(std::initializer_list<const char*> keys, const std::string& hint = {});

    [[nodiscard]] const std::string& what() const { return what_; }

    [[nodiscard]] const Node& node() const { return node_; }

    void text(std::string_view key, std::string& value);
    void unread_text(std::string_view key);             // only that it is one
    void id(std::string_view key, std::string& value);  // the number of a user or group
    void choice(std::string_view key, std::string& value, const Strings& allowed);
    void boolean(std::string_view key, bool& value);
    void integer(std::string_view key, int& value, const Range& range = any_int);
    void strings(std::string_view key, Strings& value);  // a list of texts, or one text
    void list(std::string_view key, Strings& value);     // a list of texts only
    void scalars(std::string_view key, Strings& value);  // a list of texts and numbers
    void words(std::string_view key,
               std::optional<Strings>& value);         // a list, or a text split as a shell does
    void map(std::string_view key, StringMap& value);  // a mapping or a list of NAME=value
    void nullable_map(std::string_view key,
                      std::map<std::string, std::optional<std::string>>& value);
    void duration(std::string_view key, std::optional<Duration>& value);
    void bytes(std::string_view key, std::optional<Bytes>& value);
    void limit(std::string_view key, std::optional<Bytes>& value);  // bytes, or -1 for no limit
    void number(std::string_view key, std::optional<double>& value);
    void number(std::string_view key, std::optional<std::int64_t>& value, const Range& range = {});
    void number(std::string_view key, std::optional<int>& value, const Range& range = natural);

    Reporter& reporter;

  private:
    void complain_of(const Key& key);

    std::string what_;
    const Node& node_;
    std::vector<std::string_view> known_;  // all that were asked for
    std::vector<bool> taken_;              // of the entries
};

/// Complains (and returns "") where it is none: a number must be in quotes to be one.
[[nodiscard]] std::string text_of(const Node& node, const std::string& what, Reporter& reporter);
/// Also of a number, true or false. Complains (and returns "") of a list or mapping.
[[nodiscard]] std::string scalar_of(const Node& node, const std::string& what, Reporter& reporter);
[[nodiscard]] bool boolean_of(const Node& node, const std::string& what, Reporter& reporter);
[[nodiscard]] std::optional<std::int64_t> integer_of(const Node& node,
                                                     const std::string& what,
                                                     const Range& range,
                                                     Reporter& reporter);
[[nodiscard]] std::optional<double> number_of(const Node& node,
                                              const std::string& what,
                                              Reporter& reporter);
[[nodiscard]] std::optional<Bytes> bytes_of(const Node& node,
                                            const std::string& what,
                                            Reporter& reporter);
[[nodiscard]] std::optional<Duration> duration_of(const Node& node,
                                                  const std::string& what,
                                                  Reporter& reporter);
/// "0440".
[[nodiscard]] std::string octal(std::uint32_t mode);
[[nodiscard]] std::optional<std::uint32_t> mode_of(const Node& node,
                                                   const std::string& what,
                                                   Reporter& reporter);

/// Calls `each` for every element of a list, or for the node itself where it is no list.
void for_each_item(const Node& node, const std::function<void(const Node&)>& each);

/// Complains where `id` is a number, but one that no user or group can have.
void check_id(const Node& node, std::string_view id, const std::string& what, Reporter& reporter);

/// Complains where `value` is none of `allowed`, with the nearest as a hint.
bool check_choice(const Node& node,
                  const std::string& what,
                  const Strings& allowed,
                  Reporter& reporter);

}  // namespace stack::loader
