// volume: volumes by their own names.

#include "tests/integration/world.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Volume : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        for (const char* kind : {"container", "volume"})
            stack_.must({kind, "prune", "-f"});
        stack_.must({"volume", "prune", "-af"});
        expect_nothing_left(stack_);
    }

    StackProgram stack_;
};

TEST_F(Volume, HoldsDataFromItsCreationToItsRemoval) {
    EXPECT_EQ(stack_.must({"volume", "create", "--label", "kind=data", "kept"}), "kept\n");
    stack_.must({"container", "run", "--rm", "-v", "kept:/d", "busybox", "touch", "/d/file"});
    EXPECT_EQ(stack_.must({"volume", "ls", "-q", "--filter", "label=kind=data"}), "kept\n");
    const auto seen = nlohmann::json::parse(stack_.must({"volume", "inspect", "kept"}));
    EXPECT_EQ(seen[0]["Labels"]["kind"], "data");
    EXPECT_EQ(stack_.must({"container", "run", "--rm", "-v", "kept:/d", "busybox", "ls", "/d"}),
              "file\n");
    EXPECT_EQ(stack_.must({"volume", "rm", "kept"}), "kept\n");
    EXPECT_EQ(stack_.must({"volume", "ls", "-q"}), "");
}

TEST_F(Volume, WhatAContainerHasStays) {
    stack_.must({"container", "create", "--name", "holder", "-v", "held:/d", "busybox"});
    const auto refused = stack_.run({"volume", "rm", "held"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("in use by container holder"), std::string::npos) << refused.err;
    stack_.must({"volume", "prune", "-af"});
    EXPECT_EQ(stack_.must({"volume", "ls", "-q", "--filter", "dangling=false"}), "held\n");
}

TEST_F(Volume, PruningSparesThoseWithAName) {
    stack_.must({"volume", "create", "named"});
    const std::string anonymous = stack_.must({"volume", "create"});
    EXPECT_NE(stack_.must({"volume", "prune", "-f"}).find(anonymous), std::string::npos);
    EXPECT_EQ(stack_.must({"volume", "ls", "-q"}), "named\n");
}

TEST_F(Volume, OneThatIsNotThereIsAnErrorWithASuggestion) {
    stack_.must({"volume", "create", "database"});
    const auto refused = stack_.run({"volume", "rm", "databse"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("did you mean database?"), std::string::npos) << refused.err;
    stack_.must({"volume", "rm", "-f", "databse"});
    EXPECT_NE(stack_.run({"volume", "create", "-d", "nfs", "x"}).status, 0);
    EXPECT_NE(stack_.run({"volume", "create", "../x"}).status, 0);
}

}  // namespace
}  // namespace stack::test
