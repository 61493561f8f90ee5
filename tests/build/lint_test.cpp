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

TEST(Lint, NamesCopiesOfWhatIsIgnored) {
    Build build;
    build.context = "/";
    build.dockerfile_inline =
        "# check=experimental=CopyIgnoredFile\n"
        "FROM b\n"
        "COPY a secret/file ./secret/ .. /\n"
        "ADD https://a.b/secret secret /\n"
        "COPY --from=b secret /\n";
    BuildInputs inputs = read_inputs(build, {});
    ASSERT_FALSE(has_errors(inputs.diagnostics));
    inputs.ignored = IgnoreRules::from_patterns({"secret"}).value();
    Strings found;
    for (const auto& warning : lint(inputs, {{"b", {}}}))
        found.push_back(warning.code + " " + std::to_string(warning.location.line) + " " +
                        warning.message.substr(0, warning.message.find(' ')));
    EXPECT_EQ(found,
              (Strings{"CopyIgnoredFile 3 `secret/file`",
                       "CopyIgnoredFile 3 `./secret/`",
                       "CopyIgnoredFile 4 `secret`"}));
}

}  // namespace
}  // namespace stack::build
