#pragma once

// The rules of a .dockerignore file, and of COPY --exclude: which paths of a context do not exist
// for a build.

#include <stack/diagnostics.h>
#include <stack/model.h>

#include "engine/build/glob.h"

#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

class IgnoreRules {
  public:
    IgnoreRules() = default;

    /// One pattern a line; `#` in column 1 begins a comment, `!` takes a rule back; the last rule
    /// that matches a path or one of its parents decides. Mistakes become diagnostics located in
    /// `file`.
    [[nodiscard]] static IgnoreRules parse(std::string_view text,
                                           const std::string& file,
                                           Diagnostics& diagnostics);
    /// Patterns as flags give them.
    [[nodiscard]] static Expected<IgnoreRules> from_patterns(const Strings& patterns);

    /// `path` is relative, without `.` and `..`.
    [[nodiscard]] bool excludes(std::string_view path) const;
    /// Whether a `!` rule may match something below this excluded directory.
    [[nodiscard]] bool may_include_below(std::string_view directory) const;

    [[nodiscard]] bool empty() const { return rules_.empty(); }

  private:
    struct Rule {
        Glob pattern;
        bool takes_back = false;
    };

    /// nullopt: the pattern says nothing (it is empty).
    [[nodiscard]] static Expected<std::optional<Rule>> parse_rule(std::string_view line);

    std::vector<Rule> rules_;
};

/// `path` cleaned by text alone, relative to the root: no `.`, `..`, double or outer slashes; "" is
/// the root.
[[nodiscard]] std::string clean_path(std::string_view path);

}  // namespace stack::build
