#pragma once

// What a stack file may say, but had better not: rules with names, each of which can be switched
// off, on the command line or in the file:
//
//     x-stack: {lint: {unpinned-image: false}}      at the top level, or in a service

#include <string>
#include <vector>

namespace stack {

struct LintRule {
    const char* name;
    const char* summary;  // what it finds
    const char* reason;   // why that is not good
};

/// All of them, in the order in which they are explained.
[[nodiscard]] const std::vector<LintRule>& lint_rules();

}  // namespace stack
