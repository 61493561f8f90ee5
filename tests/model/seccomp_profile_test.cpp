// Docker's seccomp profiles as values.

#include "model/seccomp_profile.h"

#include <gtest/gtest.h>

namespace stack {
namespace {

std::string complaint_of(const std::string& text) {
    const auto profile = parse_seccomp_profile(text);
    return profile ? "" : std::to_string(profile.error().offset) + ": " + profile.error().message;
}

SeccompRule rule_of(const std::string& conditions) {
    const auto profile = parse_seccomp_profile(
        R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
            {"names": ["mount"], "action": "SCMP_ACT_ALLOW")" +
        conditions + "}]}");
    return profile ? profile->rules.at(0) : SeccompRule{};
}

TEST(SeccompProfile, IsReadAsDockerWritesIt) {
    const auto profile = parse_seccomp_profile(R"({
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
        "archMap": [
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
        "syscalls": [
            {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "args": null, "comment": ""},
            {"name": "socket", "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
             "args": [{"index": 0, "value": 40, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}],
             "includes": {"caps": ["CAP_BPF"], "arches": ["amd64"], "minKernel": "4.8"}}]})");
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_EQ(profile->action, "SCMP_ACT_ERRNO");
    EXPECT_EQ(profile->error, 38U);
    EXPECT_EQ(profile->architectures, (Strings{"SCMP_ARCH_X86", "SCMP_ARCH_X86_64"}));
    ASSERT_EQ(profile->rules.size(), 2U);
    EXPECT_EQ(profile->rules[0].names, (Strings{"read", "write"}));
    EXPECT_EQ(profile->rules[0].error, std::nullopt);
    const SeccompRule& rule = profile->rules[1];
    EXPECT_EQ(rule.names, Strings{"socket"});
    EXPECT_EQ(rule.error, 1U);
    ASSERT_EQ(rule.comparisons.size(), 1U);
    EXPECT_EQ(rule.comparisons[0].op, "SCMP_CMP_MASKED_EQ");
    EXPECT_EQ(rule.comparisons[0].value, 40U);
    EXPECT_EQ(rule.comparisons[0].value_two, 1U);
    EXPECT_EQ(rule.includes.capabilities, Strings{"CAP_BPF"});
    EXPECT_EQ(rule.includes.least_kernel, (KernelVersion{4, 8}));
}

TEST(SeccompProfile, SaysWhatIsWrong) {
    EXPECT_EQ(complaint_of(R"({"defaultAction" "x"})"), "19: it is not JSON from here on");
    EXPECT_EQ(complaint_of("[]"), "0: it is not a JSON object");
    EXPECT_EQ(complaint_of("{}"), "0: `defaultAction`: there is no action \"\"");
    const std::string start = R"({"defaultAction": "SCMP_ACT_ALLOW", )";
    EXPECT_EQ(complaint_of(start + R"("syscalls": 1})"), "0: `syscalls` is not a list");
    EXPECT_EQ(complaint_of(start + R"("syscalls": [{"action": "SCMP_ACT_DENY"}]})"),
              "0: `action`: there is no action \"SCMP_ACT_DENY\"");
    EXPECT_EQ(complaint_of(start + R"("syscalls": [{"action": "SCMP_ACT_NOTIFY"}]})"),
              "0: `action`: SCMP_ACT_NOTIFY is not supported: no agent would answer it");
    EXPECT_EQ(complaint_of(start + R"("defaultErrnoRet": -1})"),
              "0: `defaultErrnoRet` is not a number from 0 to 4095");
    EXPECT_EQ(complaint_of(start + R"("architectures": ["a"], "archMap": [{}]})"),
              "0: it has both `architectures` and `archMap`");
    EXPECT_EQ(complaint_of(start + R"("syscalls": [{"name": "a", "names": ["b"],
                                                    "action": "SCMP_ACT_LOG"}]})"),
              "0: a rule has both `name` and `names`");
    EXPECT_EQ(complaint_of(start + R"("syscalls": [{"action": "SCMP_ACT_LOG",
                                                    "args": [{"op": "SCMP_CMP_ABOUT"}]}]})"),
              "0: there is no comparison \"SCMP_CMP_ABOUT\"");
    EXPECT_EQ(complaint_of(start + R"("syscalls": [{"action": "SCMP_ACT_LOG",
                                                    "includes": {"minKernel": "new"}}]})"),
              "0: `minKernel` is \"new\", not a version as in 4.8");
}

TEST(SeccompProfile, RulesApplyToCapabilitiesMachinesAndKernels) {
    const Strings none;
    const Strings admin{"CAP_CHOWN", "CAP_SYS_ADMIN"};
    const KernelVersion old{4, 7};
    const KernelVersion now{6, 1};
    EXPECT_TRUE(applies(rule_of(""), none, old));
    const auto admins = rule_of(R"(, "includes": {"caps": ["CAP_SYS_ADMIN", "CAP_CHOWN"]})");
    EXPECT_TRUE(applies(admins, admin, now));
    EXPECT_FALSE(applies(admins, {"CAP_CHOWN"}, now)) << "it needs all of them";
    const auto others = rule_of(R"(, "excludes": {"caps": ["CAP_BPF", "CAP_SYS_ADMIN"]})");
    EXPECT_FALSE(applies(others, admin, now)) << "one of them is enough";
    EXPECT_TRUE(applies(others, none, now));
    EXPECT_TRUE(applies(rule_of(R"(, "includes": {"arches": ["x32", "amd64"]})"), none, now));
    EXPECT_FALSE(applies(rule_of(R"(, "includes": {"arches": ["s390x"]})"), none, now));
    EXPECT_FALSE(applies(rule_of(R"(, "excludes": {"arches": ["amd64"]})"), none, now));
    const auto newer = rule_of(R"(, "includes": {"minKernel": "4.8"})");
    EXPECT_TRUE(applies(newer, none, now));
    EXPECT_FALSE(applies(newer, none, old));
    EXPECT_FALSE(applies(rule_of(R"(, "excludes": {"minKernel": "4.8"})"), none, now));
}

TEST(KernelVersion, IsTheBeginningOfARelease) {
    EXPECT_EQ(parse_kernel_version("6.1.0-28-amd64\n"), (KernelVersion{6, 1}));
    EXPECT_EQ(parse_kernel_version("4.8"), (KernelVersion{4, 8}));
    EXPECT_LT((KernelVersion{4, 20}), (KernelVersion{5, 0}));
    EXPECT_EQ(parse_kernel_version("4"), std::nullopt);
    EXPECT_EQ(parse_kernel_version("new"), std::nullopt);
}

}  // namespace
}  // namespace stack
