// volume: volumes by their own names.

#include "tests/integration/world.h"

#include <filesystem>
#include <fstream>

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
    const auto listed = nlohmann::json::parse(stack_.must({"volume", "ls", "--format", "json"}));
    EXPECT_EQ(listed["Labels"], "kind=data");
    EXPECT_EQ(listed["Size"], "N/A");
    EXPECT_EQ(listed["Links"], "N/A");
    const auto seen = nlohmann::json::parse(stack_.must({"volume", "inspect", "kept"}));
    EXPECT_EQ(seen[0]["Labels"]["kind"], "data");
    EXPECT_EQ(seen[0]["CreatedAt"].get<std::string>().substr(0, 2), "20");
    const auto file = std::filesystem::path(stack_.root()) / "volumes/kept/volume.json";
    auto record = nlohmann::json::parse(std::ifstream(file));
    record.erase("created");  // as it was written before there was such a field
    std::ofstream(file) << record;
    EXPECT_EQ(nlohmann::json::parse(stack_.must({"volume", "inspect", "kept"}))[0]["CreatedAt"]
                  .get<std::string>()
                  .substr(0, 2),
              "20");
    EXPECT_EQ(stack_.must({"container", "run", "--rm", "-v", "kept:/d", "busybox", "ls", "/d"}),
              "file\n");
    EXPECT_EQ(stack_.must({"volume", "rm", "kept"}), "kept\n");
    EXPECT_EQ(stack_.must({"volume", "ls", "-q"}), "");
}

TEST_F(Volume, WhatAContainerHasStays) {
    stack_.must({"container", "create", "--name", "holder", "-v", "held:/d", "busybox"});
    const auto refused = stack_.run({"volume", "rm", "held"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("in use by container holder: "), std::string::npos) << refused.err;
    stack_.must({"volume", "prune", "-af"});
    EXPECT_EQ(stack_.must({"volume", "ls", "-q", "--filter", "dangling=false"}), "held\n");
}

TEST_F(Volume, PruningSparesThoseWithAName) {
    stack_.must({"volume", "create", "named"});
    const std::string anonymous = stack_.must({"volume", "create"});
    EXPECT_NE(stack_.must({"volume", "prune", "-f"}).find(anonymous), std::string::npos);
    EXPECT_EQ(stack_.must({"volume", "ls", "-q"}), "named\n");
}

TEST_F(Volume, AreTakenFromAnotherContainer) {
    stack_.must({"container",
                 "create",
                 "--name",
                 "data",
                 "-v",
                 "named:/n",
                 "-v",
                 "/anonymous",
                 "--mount",
                 "type=bind,source=/etc,target=/host",
                 "busybox"});
    const auto run = [&](const std::string& from, const std::string& script) {
        return stack_.run(
            {"container", "run", "--rm", "--volumes-from", from, "busybox", "sh", "-c", script});
    };
    EXPECT_EQ(
        run("data", "echo 1 > /n/file; echo 2 > /anonymous/file; test -e /host/passwd").status, 0);
    const auto kept = run("data:ro", "cat /n/file /anonymous/file; touch /n/x");
    EXPECT_EQ(kept.out, "1\n2\n") << "what --rm removed was another one's";
    EXPECT_NE(kept.err.find("Read-only file system"), std::string::npos) << kept.err;
    const auto own = stack_.run({"container",
                                 "run",
                                 "--rm",
                                 "--volumes-from",
                                 "data",
                                 "-v",
                                 "other:/n",
                                 "busybox",
                                 "sh",
                                 "-c",
                                 "ls /n; cat /anonymous/file"});
    EXPECT_EQ(own.out, "2\n") << own.err;
    EXPECT_NE(run("data:rox", "true").err.find("the mode is ro or rw"), std::string::npos);
    EXPECT_NE(run("gone", "true").err.find("container gone, which does not exist"),
              std::string::npos);
}

TEST_F(Volume, AreTakenFromAnotherService) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  db: {image: busybox, command: [sleep, infinity], volumes: ["data:/n", "/anonymous"]}
  reader:
    image: busybox
    command: [sh, -c, "touch /n/file /anonymous/file; sleep infinity"]
    volumes_from: [db]
  guest:
    image: busybox
    command: [sh, -c, "touch /n/other; sleep infinity"]
    volumes_from: ["db:ro", "container:shop-reader-1"]
    depends_on: [reader]
volumes: {data: }
)");
    stack_.must({"up", "-d", "--wait"});
    EXPECT_TRUE(eventually([&] {
        return stack_.run({"exec", "db", "ls", "/n", "/anonymous"}).out ==
               "/anonymous:\nfile\n\n/n:\nfile\nother\n";
    })) << stack_.must({"logs"});
    stack_.must({"up", "-d", "--force-recreate"});
    EXPECT_EQ(stack_.must({"exec", "reader", "ls", "/anonymous"}), "file\n");
    stack_.must({"down", "-v", "-t", "0"});
    EXPECT_EQ(stack_.must({"volume", "ls", "-q"}), "");
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
