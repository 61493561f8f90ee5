#include "engine/build/dockerfile.h"

#include "tests/build/cases.h"
#include "tests/build/describe.h"

#include <string>

#include <gtest/gtest.h>

namespace stack::build {
namespace {

/// Whole files.
TEST(Dockerfile, IsReadAsTheReferenceSays) {
    for (const auto* table : {"from", "directives", "mistakes"})
        for (const auto& one : read_cases(table))
            EXPECT_EQ(describe(parse_dockerfile(one.text, "Dockerfile")), one.expected)
                << one.place << "\n"
                << one.text;
}

/// Instructions below a `FROM x`, which is left out of what is expected.
TEST(Dockerfile, ReadsInstructionsAsTheReferenceSays) {
    for (const auto* table :
         {"continuations", "heredocs", "run", "copy", "values", "container", "healthcheck"})
        for (const auto& one : read_cases(table)) {
            const auto file = parse_dockerfile("FROM x\n" + one.text, "Dockerfile");
            const std::string from = has_errors(file.diagnostics) ? "" : "FROM x\n";
            EXPECT_EQ(describe(file), from + one.expected) << one.place << "\n" << one.text;
        }
}

TEST(Dockerfile, ReplacesVariablesInTheirScopes) {
    for (const auto& one : read_cases("scopes"))
        EXPECT_EQ(evaluate(one.text, one.arguments), one.expected) << one.place << "\n" << one.text;
}

TEST(Dockerfile, IsBounded) {
    const auto error_of = [](const std::string& text) {
        const auto file = parse_dockerfile(text, "Dockerfile");
        return has_errors(file.diagnostics) ? file.diagnostics.back().message : "";
    };
    EXPECT_EQ(error_of("FROM a\nRUN " + std::string(70000, 'x')),
              "the line is longer than 65535 bytes");
    std::string many = "FROM a\n";
    for (int i = 0; i < 10001; ++i)
        many += "ENV a=b\n";
    EXPECT_EQ(error_of(many), "a Dockerfile has at most 10000 instructions");
    EXPECT_EQ(error_of("FROM a\nRUN " + std::string(60000, '[')), "");
}

}  // namespace
}  // namespace stack::build
