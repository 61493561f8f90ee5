#include <stack/boxed.h>
#include <stack/shared.h>

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

TEST(Shared, CopiesAreThePartOfOneAndEqualToItsLikes) {
    const Shared<std::string> one = std::string("a");
    const Shared<std::string> copy = one;
    EXPECT_EQ(&*copy, &*one);
    EXPECT_TRUE(copy == one);
    EXPECT_TRUE(Shared<std::string>(std::string("a")) == one);
    EXPECT_FALSE(Shared<std::string>(std::string("b")) == one);
    EXPECT_EQ(*Shared<std::string>(), "");
}

TEST(Shared, IsNeverWithoutAValue) {
    Shared<std::string> from = std::string("a");
    const Shared<std::string> to = std::move(from);
    EXPECT_EQ(*from, "a");  // NOLINT(bugprone-use-after-move): that is what is promised
    EXPECT_EQ(*to, "a");
}

TEST(Shared, APartKeepsItsOwner) {
    using Pair = std::pair<int, std::string>;
    auto owner = std::make_shared<const Pair>(1, "a");
    const Shared<std::string> part(owner, owner->second);
    const std::weak_ptr<const Pair> watched = owner;
    owner.reset();
    EXPECT_FALSE(watched.expired());
    EXPECT_EQ(*part, "a");
}

TEST(BoxedOptional, IsAnOptionalValue) {
    BoxedOptional<std::string> none;
    EXPECT_FALSE(none);
    BoxedOptional<std::string> one = std::string("a");
    BoxedOptional<std::string> copy = one;
    EXPECT_TRUE(copy == one);
    EXPECT_FALSE(copy == none);
    *copy += "b";
    EXPECT_EQ(*one, "a");
    copy = none;
    EXPECT_FALSE(copy);
    EXPECT_TRUE(copy == none);
    EXPECT_EQ(none.emplace(), "");
    EXPECT_TRUE(none);
    none.reset();
    EXPECT_FALSE(none);
    copy = std::move(one);
    EXPECT_EQ(copy->size(), 1U);
}

}  // namespace
}  // namespace stack::test
