// `stack doctor`, on a machine that is made ill.

#include "tests/integration/world.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

nlohmann::json finding(const StackProgram& stack, const std::string& check) {
    for (const auto& one : nlohmann::json::parse(stack.run({"doctor", "--format", "json"}).out))
        if (one["check"] == check)
            return one;
    return {};
}

}  // namespace

TEST(Doctor, FindsARuleThatDropsWhatContainersSendAndSaysWhatToDo) {
    const StackProgram stack;
    ASSERT_EQ(run({"nft",
                   "add table inet guard; add chain inet guard forward { type filter "
                   "hook forward priority 0; policy accept; }; add rule inet guard "
                   "forward ct state established accept"})
                  .status,
              0);
    EXPECT_EQ(finding(stack, "firewall")["ok"], true);
    ASSERT_EQ(run({"nft", "add rule inet guard forward drop"}).status, 0);
    EXPECT_EQ(stack.run({"doctor"}).status, 1);
    const auto found = finding(stack, "firewall");
    EXPECT_EQ(found["ok"], false);
    EXPECT_EQ(found["text"],
              "table inet guard, chain forward, drops what containers send to the world");
    for (const auto* way : {"iifname", "oifname"})
        ASSERT_EQ(
            run({"nft", std::string("insert rule inet guard forward ") + way + " \"stk*\" accept"})
                .status,
            0);
    EXPECT_EQ(finding(stack, "firewall")["ok"], true);
    EXPECT_EQ(run({"nft", "delete table inet guard"}).status, 0);
    ASSERT_EQ(run({"nft",
                   "add table inet guard; add chain inet guard input { type filter hook input "
                   "priority 0; policy drop; }"})
                  .status,
              0);
    EXPECT_EQ(finding(stack, "firewall")["text"],
              "table inet guard, chain input, drops what containers ask for names");
    const std::string advice = finding(stack, "firewall")["advice"];
    ASSERT_EQ(run({"sh", "-c", advice}).status, 0) << advice;
    EXPECT_EQ(finding(stack, "firewall")["ok"], true);
    EXPECT_EQ(run({"nft", "delete table inet guard"}).status, 0);
    for (const auto* check :
         {"kernel", "isolation", "nftables", "forwarding", "names", "leftovers"})
        EXPECT_EQ(finding(stack, check)["ok"], true) << finding(stack, check);
}

}  // namespace stack::test
