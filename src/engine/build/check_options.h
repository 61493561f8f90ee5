#pragma once

// What `# check=…` at the top of a Dockerfile says, and the build argument
// BUILDKIT_DOCKERFILE_CHECK in its stead: `skip=RULE,…;error=true;experimental=RULE,…`, where `all`
// is every rule.

#include <stack/diagnostics.h>
#include <stack/model.h>

#include "base/expected.h"

#include <string_view>

namespace stack::build {

struct CheckOptions {
    Strings skip;            // rules that nobody is to be warned by
    bool error = false;      // the others make the build fail
    Strings experimental{};  // rules that look only where they are asked to

    [[nodiscard]] bool asks_for(const std::string& experimental_rule) const;

    bool operator==(const CheckOptions&) const = default;
};

[[nodiscard]] Expected<CheckOptions> parse_check_options(std::string_view text);

/// Without the warnings of skipped rules; those that are left are errors where `options.error`.
[[nodiscard]] Diagnostics checked(Diagnostics found, const CheckOptions& options);

}  // namespace stack::build
