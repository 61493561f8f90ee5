#pragma once

// --filter KEY=VALUE, as docker has it: of those with one key one must hold, of labels each.

#include <stack/observed.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace stack::cli {

class Filters {
  public:
    /// Whether one holds of the object that is looked at.
    using Test = std::function<bool(const std::string& key, const std::string& value)>;

    /// Gives up where one has none of `keys`. `label!=NAME` has the key `label!`.
    Filters(const Strings& texts, const Strings& keys);

    [[nodiscard]] bool hold(const Test& test) const;
    [[nodiscard]] bool have(const std::string& key) const;

  private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

/// `NAME`, or `NAME=VALUE`.
[[nodiscard]] bool has_label(const StringMap& labels, const std::string& wanted);

/// `24h`, a date or Unix seconds: whether `time` is before that. Gives up where it is none.
[[nodiscard]] bool is_until(Time time, const std::string& until);

/// `true`, `1`, `false` or `0`. Gives up where it is none.
[[nodiscard]] bool truth_of(const std::string& key, const std::string& value);

}  // namespace stack::cli
