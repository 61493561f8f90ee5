// Another version of the program beside what the one before has left running, and one state under
// several names.

#include "tests/integration/world.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

class Upgrade : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: sleep 1000, stop_signal: SIGKILL}
)");
        stack_.must({"up", "-d"});
        before_ = container(stack_, "web");
        sleepers_ = pids_of("sleep");
    }

    void TearDown() override {
        stack_.must({"down", "-t", "0"});
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    void expect_untouched() const {
        const auto now = container(stack_, "web");
        EXPECT_EQ(now["ID"], before_["ID"]);
        EXPECT_EQ(now["State"], "running");
        EXPECT_EQ(now["CreatedAt"], before_["CreatedAt"]);
        EXPECT_EQ(stack_.must({"exec", "-T", "web", "cat", "/proc/uptime"}).empty(), false);
        EXPECT_EQ(pids_of("sleep"), sleepers_);
    }

    StackProgram stack_;
    nlohmann::json before_;
    std::vector<std::string> sleepers_;
};

TEST_F(Upgrade, ReplacesTheSupervisorAndNothingElse) {
    const int first = supervisor_pid(stack_, "shop");
    const fs::path file = fs::path(stack_.root()) / "run/projects/shop/supervisor.pid";
    std::ifstream in(file);
    const std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
    ASSERT_EQ(words.size(), 3U);
    for (const std::string version : {" 0.0.1\n", " 999.0\n", "\n"}) {  // before there were any
        const int old = supervisor_pid(stack_, "shop");
        std::ifstream now(file);
        std::string pid;
        std::string started;
        now >> pid >> started;
        std::ofstream(file) << pid << " " << started << version;
        stack_.must({"up", "-d"});
        const int next = supervisor_pid(stack_, "shop");
        EXPECT_NE(next, old) << version;
        EXPECT_NE(next, 0) << version;
        expect_untouched();
    }
    EXPECT_NE(supervisor_pid(stack_, "shop"), first);
    const int last = supervisor_pid(stack_, "shop");
    stack_.must({"up", "-d"});
    EXPECT_EQ(supervisor_pid(stack_, "shop"), last);
}

TEST_F(Upgrade, TakenBackIsRefusedWhereTheStateIsOfALaterFormat) {
    const fs::path file = fs::path(stack_.root()) / "format";
    std::ofstream(file) << "2\n";
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"up", "-d"}, {"down"}, {"ps"}, {"image", "ls"}}) {
        const Result refused = stack_.run(words);
        EXPECT_EQ(refused.status, 1) << words.front();
        EXPECT_NE(refused.err.find(stack_.root() + " is of format 2, and this program knows"),
                  std::string::npos)
            << refused.err;
    }
    stack_.must({"config"});
    stack_.must({"version"});
    fs::remove(file);
    expect_untouched();
}

TEST_F(Upgrade, ReadsRecordsWithFieldsThatItDoesNotKnow) {
    const auto add_field = [](const fs::path& file) {
        std::ifstream in(file);
        auto json = nlohmann::json::parse(in);
        json["of_a_later_version"] = {{"a", 1}};
        std::ofstream(file) << json.dump() << "\n";
    };
    const fs::path root = stack_.root();
    const fs::path own = root / "containers" / std::string(before_["ID"]);
    for (const auto& file : {own / "config.json",
                             own / "life.json",
                             root / "projects/shop/stack.json",
                             root / "run/containers" / std::string(before_["ID"]) / "live.json"})
        add_field(file);
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    stack_.must({"up", "-d"});
    expect_untouched();
}

TEST_F(Upgrade, OfTheRootsNameIsTheSameEngine) {
    const std::string link = stack_.directory() + "/link";
    fs::create_symlink(stack_.root(), link);
    const auto by_link = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {STACK_BINARY_DIR "/stack", "--root", link + "/."});
        return test::run({.words = std::move(words), .directory = stack_.directory()});
    };
    const Result plan = by_link({"plan"});
    EXPECT_EQ(plan.out, "nothing to do\n") << plan.err;
    const Result made =
        by_link({"container", "run", "-d", "--name", "mine", "busybox", "sleep", "1000"});
    ASSERT_EQ(made.status, 0) << made.err;
    stack_.must({"container", "kill", "mine"});
    stack_.must({"container", "rm", "mine"});
    expect_untouched();
}

}  // namespace
}  // namespace stack::test
