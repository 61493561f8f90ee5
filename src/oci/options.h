#pragma once

// The words of a command line, as those who drive runtimes write them: --name VALUE, --name=VALUE,
// -n VALUE.

#include <stack/model.h>

#include <functional>
#include <string>
#include <vector>

namespace stack::oci {

struct Option {
    std::string name;        // "bundle"
    char letter = 0;         // 'b'; 0: none
    std::string value_name;  // empty: it takes none
    std::string help;
    std::function<void(const std::string& value)> set;
};

/// Takes the options from `words` and returns what is left. Where `only_first` is set, what comes
/// after the first word that is none is left as it is. Throws for one that is unknown.
[[nodiscard]] Strings take_options(const Strings& words,
                                   const std::vector<Option>& options,
                                   bool only_first);

/// A line for each.
[[nodiscard]] std::string help_of(const std::vector<Option>& options);

/// What an option does that keeps its value, or that it was there.
[[nodiscard]] std::function<void(const std::string&)> keep(std::string& to);
[[nodiscard]] std::function<void(const std::string&)> keep(Strings& to);
[[nodiscard]] std::function<void(const std::string&)> keep(bool& to);
[[nodiscard]] std::function<void(const std::string&)> keep(std::uint32_t& to);

}  // namespace stack::oci
