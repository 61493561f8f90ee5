#include "supervise/origin.h"

#include "base/random.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <gtest/gtest.h>

namespace stack::supervise {
namespace {

class Origin : public testing::Test {
  protected:
    void TearDown() override { sys::remove_tree(root_); }

    /// A stack "shop" of a file that is there.
    [[nodiscard]] Stack stack_of(const std::string& directory) const {
        Stack stack;
        stack.name = "shop";
        stack.working_dir = root_ + directory;
        stack.files = {stack.working_dir + "/compose.yaml"};
        sys::ensure_directory(stack.working_dir, 0700);
        sys::replace_file(stack.files.front(), "services: {}\n");
        return stack;
    }

    /// Something to do.
    static Plan plan() {
        Plan plan;
        plan.actions.push_back({RemoveNetwork{"shop_default"}, "network/shop_default", "down"});
        return plan;
    }

    const std::string root_ = "/var/tmp/stack-origin-test-" + random_hex(8);
};

TEST_F(Origin, OfTwoDirectoriesWithOneNameTheFirstKeepsIt) {
    const Plan refused = with_origin(plan(), stack_of("/a/shop"), stack_of("/b/shop"), false);
    EXPECT_TRUE(refused.actions.empty());
    ASSERT_EQ(refused.errors.size(), 1U);
    for (const auto& part : {root_ + "/a/shop/compose.yaml",
                             root_ + "/b/shop/compose.yaml",
                             std::string("-p shop"),
                             std::string("`name:`")})
        EXPECT_NE(refused.errors.front().find(part), std::string::npos) << refused.errors.front();
}

TEST_F(Origin, ANameThatSomebodyChoseIsTakenOverWithAWord) {
    const Plan by_hand = with_origin(plan(), stack_of("/a/shop"), stack_of("/b/shop"), true);
    EXPECT_EQ(by_hand.actions, plan().actions);
    EXPECT_EQ(by_hand.warnings.size(), 1U);
    const Plan by_file = with_origin(plan(), stack_of("/a/one"), stack_of("/b/two"), false);
    EXPECT_EQ(by_file.actions, plan().actions);
    EXPECT_EQ(by_file.warnings.size(), 1U);
}

TEST_F(Origin, OfOneDirectoryThereIsNothingToSay) {
    EXPECT_EQ(with_origin(plan(), stack_of("/a/shop"), stack_of("/a/shop"), false), plan());
    EXPECT_EQ(with_origin(plan(), {}, stack_of("/a/shop"), false), plan());
    Stack moved = stack_of("/a/shop");
    moved.working_dir = root_ + "/gone/shop";
    moved.files = {moved.working_dir + "/compose.yaml"};
    EXPECT_EQ(with_origin(plan(), moved, stack_of("/a/shop"), false), plan());
    Stack again = stack_of("/a/shop");
    again.working_dir = root_ + "/a/../a/shop";
    EXPECT_EQ(with_origin(plan(), stack_of("/a/shop"), again, false), plan());
}

TEST_F(Origin, OneFileIsOneStackWhateverItsDirectoryIsSaidToBe) {
    Stack elsewhere = stack_of("/b/shop");
    elsewhere.files = stack_of("/a/shop").files;  // --project-directory
    EXPECT_EQ(with_origin(plan(), stack_of("/a/shop"), elsewhere, false), plan());
}

/// But what is wanted would be the other file's from then on.
TEST_F(Origin, WhatChangesNothingIsNoWordAndYetRefused) {
    EXPECT_EQ(with_origin({}, stack_of("/a/shop"), stack_of("/b/shop"), true), Plan{});
    EXPECT_EQ(with_origin({}, stack_of("/a/shop"), stack_of("/b/shop"), false).errors.size(), 1U);
}

}  // namespace
}  // namespace stack::supervise
