#include "engine/build/lint.h"

#include "engine/build/inputs.h"

#include <gtest/gtest.h>

namespace stack::build {
namespace {

/// `RULE line:column`, in order of the file.
Strings warnings(const std::string& dockerfile,
                 const std::map<std::string, Strings>& variables = {{"b", {"HOME"}}}) {
    Build build;
    build.context = "/";
    build.dockerfile_inline = dockerfile;
    const BuildInputs inputs = read_inputs(build, {});
    EXPECT_FALSE(has_errors(inputs.diagnostics)) << to_text(inputs.diagnostics, nullptr, nullptr);
    Strings found;
    for (const auto& one : lint(inputs, variables))
        found.push_back(one.code + " " + std::to_string(one.location.line) + ":" +
                        std::to_string(one.location.column));
    return found;
}

struct Case {
    const char* dockerfile;
    Strings expected;
};

TEST(Lint, FindsWhatDockerFinds) {
    const std::vector<Case> cases{
        {"FROM b\nRUN a\n", {}},
        {"FROM b\nrun a\nCOPY a /\n", {"ConsistentInstructionCasing 2:1"}},
        {"from b\nrun a\n", {}},
        {"from b\nRUN a\nrun c\n", {"ConsistentInstructionCasing 2:1"}},
        {"FROM b as x\n", {"FromAsCasing 1:8"}},
        {"FROM b AS Web\n", {"StageNameCasing 1:11"}},
        {"FROM b AS scratch\n", {"ReservedStageName 1:11"}},
        {"FROM b AS x\nFROM b AS x\n", {"DuplicateStageName 2:11"}},
        {"FROM --platform=$TARGETPLATFORM b\n", {"RedundantTargetPlatform 1:6"}},
        {"FROM --platform=linux/amd64 b\n", {"FromPlatformFlagConstDisallowed 1:6"}},
        {"FROM --platform=$BUILDPLATFORM b\n", {}},
        {"FROM b\nMAINTAINER me\n", {"MaintainerDeprecated 2:1"}},
        {"FROM b\nENV a b\n", {"LegacyKeyValueFormat 2:1"}},
        {"FROM b\nLABEL a b\n", {"LegacyKeyValueFormat 2:1"}},
        {"FROM b\nCMD a b\n", {"JSONArgsRecommended 2:1"}},
        {"FROM b\nENTRYPOINT a b\n", {"JSONArgsRecommended 2:1"}},
        {"FROM b\nSHELL [\"bash\", \"-c\"]\nCMD a b\n", {}},
        {"FROM b\nCMD [\"a\"]\nCMD [\"b\"]\n", {"MultipleInstructionsDisallowed 2:1"}},
        {"FROM b\nWORKDIR a\n", {"WorkdirRelativePath 2:1"}},
        {"FROM b\nWORKDIR /a\nWORKDIR b\n", {}},
        {"FROM b AS a\nWORKDIR /a\nFROM a\nWORKDIR b\n", {}},
        {"FROM b\nARG API_KEY\n", {"SecretsUsedInArgOrEnv 2:1"}},
        {"FROM b\nENV PUBLIC_KEY=1\n", {}},
        {"FROM b\nEXPOSE 80/TCP\n", {"ExposeProtoCasing 2:1"}},
        {"FROM b\nCOPY $what /\n", {"UndefinedVar 2:1"}},
        {"FROM b\nCOPY a ${HOME}\n", {}},
        {"FROM b\nCOPY a ${x:-/y}\n", {}},
        {"FROM b\nCOPY a \\$x\n", {}},
        {"FROM b\nARG x\nCOPY a $x\n", {}},
        {"FROM unknown\nCOPY a $JAVA_HOME\n", {}},
        {"FROM unknown\nARG version\nLABEL a=$versoin\n", {"UndefinedVar 3:1"}},
        {"ARG tag=1\nFROM b:$tag\n", {}},
        {"# check=skip=MaintainerDeprecated\nFROM b\nMAINTAINER me\n", {}},
        {"# check=skip=all\nFROM b as X\nMAINTAINER me\n", {}},
    };
    for (const auto& one : cases)
        EXPECT_EQ(warnings(one.dockerfile), one.expected) << one.dockerfile;
}

}  // namespace
}  // namespace stack::build
