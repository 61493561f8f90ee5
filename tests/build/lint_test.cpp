#include "engine/build/lint.h"

#include "base/text.h"
#include "engine/build/inputs.h"
#include "tests/build/cases.h"

#include <gtest/gtest.h>

namespace stack::build {
namespace {

/// `RULE line:column`, with `error` before what fails the build.
std::string found_in(const Case& one) {
    Build build;
    build.context = "/";
    build.dockerfile_inline = one.text;
    for (const auto& [name, value] : one.arguments)
        build.args[name] = value;
    const BuildInputs inputs = read_inputs(build, {});
    const Diagnostics all =
        has_errors(inputs.diagnostics) ? inputs.diagnostics : lint(inputs, {{"b", {"HOME"}}});
    Strings found;
    for (const auto& warning : all)
        found.push_back((warning.severity == Severity::error ? "error " : "") + warning.code + " " +
                        std::to_string(warning.location.line) + ":" +
                        std::to_string(warning.location.column));
    return found.empty() ? "nothing" : join(found, "\n");
}

TEST(Lint, FindsWhatDockerFinds) {
    for (const auto& one : read_cases("checks"))
        EXPECT_EQ(found_in(one), one.expected) << one.place << "\n" << one.text;
}

}  // namespace
}  // namespace stack::build
