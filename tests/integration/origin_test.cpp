// Two directories that are called the same: whose containers and volumes are the stack's?

#include "tests/integration/world.h"
#include "tests/support/sandbox.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Origin : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(first_);
        first_.write("compose.yaml",
                     "services: {web: {image: busybox, command: sleep 1000, stop_signal: SIGKILL,\n"
                     "  volumes: ['data:/data']}}\nvolumes: {data: {}}\n");
        second_.write("compose.yaml",
                      "services: {db: {image: busybox, command: sleep 1000, stop_signal: SIGKILL,\n"
                      "  volumes: ['data:/data']}}\nvolumes: {data: {}}\n");
    }

    void TearDown() override {
        static_cast<void>(second_.run({"-p", "shop", "down", "-v", "--remove-orphans"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(second_, "shop") == 0; }));
        expect_nothing_left(second_);
    }

    StackProgram first_{sandbox_directory() + "/first/shop"};
    StackProgram second_{sandbox_directory() + "/second/shop"};
};

TEST_F(Origin, TheFirstKeepsWhatItHasUntilTheSecondIsMeant) {
    first_.must({"up", "-d"});
    const auto before = container(first_, "web")["ID"];
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"up", "-d"}, {"run", "db", "true"}, {"down", "-v"}, {"--dry-run", "up"}, {"plan"}}) {
        const Result refused = second_.run(words);
        EXPECT_EQ(refused.status, 1) << words.front();
        const std::string said = refused.out + refused.err;
        EXPECT_NE(said.find(first_.directory() + "/compose.yaml"), std::string::npos) << said;
        EXPECT_NE(said.find("-p shop"), std::string::npos) << said;
    }
    EXPECT_EQ(container(first_, "web")["ID"], before);
    EXPECT_EQ(first_.must({"plan"}), "nothing to do\n");

    const Result meant = second_.run({"-p", "shop", "up", "-d", "--remove-orphans"});
    EXPECT_EQ(meant.status, 0) << meant.err;
    EXPECT_NE(meant.err.find("was brought up from " + first_.directory()), std::string::npos)
        << meant.err;
    EXPECT_EQ(container(second_, "db")["State"], "running");
    EXPECT_EQ(second_.must({"plan"}), "nothing to do\n");
}

}  // namespace
}  // namespace stack::test
