// kill -9 of whichever process passes a failpoint of `up` (of a new stack, and of a changed one),
// `scale` and `down`, one failpoint after another, and the same with an error or a wait instead of
// a death: the same command again converges, and in the end nothing is lost and nothing is left.
//
// Of what came last each tenth failpoint is tried, another one in each test; with STACK_BREAK_ALL
// set, all are.

#include "tests/integration/world.h"
#include "tests/support/failpoints.h"
#include "tests/support/leaks.h"
#include "tests/support/sandbox.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// A stack in which every part of the engine has something to do.
constexpr const char* shop_file = R"(
name: shop
services:
  web:
    build: .
    command: httpd -f -p 80 -h /data
    ports: ["8080:80"]
    volumes: ["data:/data"]
    stop_signal: SIGKILL
    mem_limit: 64m
    depends_on: {store: {condition: service_healthy}}
  store:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    networks: [back, default]
    healthcheck: {test: "true", interval: 100ms}
volumes: {data: {}}
networks: {back: {}}
)";

/// The stack after an edit: `web` is made anew, `store` changes its networks and limit in place.
std::string edited_file() {
    std::string text = shop_file;
    const auto replace = [&](const std::string& what, const std::string& by) {
        text.replace(text.find(what), what.size(), by);
    };
    replace("mem_limit: 64m", "environment: {EDITED: \"yes\"}");
    replace("command: sleep 1000", "command: sleep 1000\n    mem_limit: 64m");
    replace("[back,", "[side,");
    replace("{back: {}}", "{back: {}, side: {}}");
    return text;
}

using Arm = std::map<std::string, std::string> (Failpoints::*)(const std::string&, int) const;
using Words = std::vector<std::string>;

/// A command that is broken.
struct Scene {
    Words command;
    bool begins = false;    // there is nothing before it
    std::string file = {};  // that it finds; empty: the one that the stack was made from
};

class Break : public testing::Test {
  protected:
    /// A store with nothing but the base image: a copy of one that was made once.
    void begin() {
        std::filesystem::remove_all(stack_.root());
        if (!std::filesystem::exists(untouched_)) {
            std::filesystem::create_directories(stack_.root());
            std::filesystem::remove_all(sandbox_directory() + "/busybox");
            import_busybox(stack_);
            std::filesystem::rename(stack_.root(), untouched_);
        }
        ASSERT_EQ(run({"cp", "-a", untouched_, stack_.root()}).status, 0);
        stack_.write("compose.yaml", shop_file);
        stack_.write("Dockerfile",
                     "FROM busybox\nRUN mkdir /data && echo hello > /data/index.html\n"
                     "COPY page /data/page\n");
        stack_.write("page", "page");
    }

    /// What comes before the command. The supervisor that it starts carries the failpoints of the
    /// command.
    Result prepare(const Scene& scene, const std::map<std::string, std::string>& environment) {
        begin();
        Result result;
        if (!scene.begins)
            result = stack_.run({"up", "-d"}, environment);
        if (!scene.file.empty())
            stack_.write("compose.yaml", scene.file);
        return result;
    }

    /// The command is what makes it so.
    void expect_done(const Scene& scene) {
        if (scene.command.front() == "down")
            return;  // end() has a look
        EXPECT_TRUE(eventually([] { return fetch("http://127.0.0.1:8080/page") == "page"; }));
        EXPECT_EQ(fetch("http://127.0.0.1:8080/index.html"), "hello\n");
        if (scene.command.front() != "scale")
            EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
        else
            EXPECT_EQ(stack_.must({"plan", "--scale", "store=2"}), "nothing to do\n");
    }

    void end() {
        stack_.must({"down", "-v", "-t", "1"});
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// The failpoints of the command, each with how often it was passed before.
    std::map<std::string, int> passed_by(const Scene& scene) {
        const Failpoints whole("whole");
        EXPECT_EQ(prepare(scene, whole.counting()).status, 0);
        auto before = whole.hits();
        const Result result = stack_.run(scene.command, whole.counting());
        EXPECT_EQ(result.status, 0) << result.out << result.err;
        std::map<std::string, int> passed;
        for (const auto& [failpoint, hits] : whole.hits())
            if (hits > before[failpoint])
                passed[failpoint] = before[failpoint];
        expect_done(scene);
        end();
        return passed;
    }

    /// Whether the command came by the failpoint: an earlier one may have come by more often than
    /// the one that was counted. What breaks looks for leaks; what comes before and after did so
    /// when the failpoints were counted.
    bool break_at(const Scene& scene, const std::string& failpoint, int before, Arm arm) {
        const LeaksOverlooked overlooked;
        const Failpoints broken("broken");
        auto environment = (broken.*arm)(failpoint, before + 1);
        environment.merge(overlooked.not_of());
        const Result prepared = prepare(scene, environment);
        const bool too_early = broken.hits()[failpoint] > before;
        if (too_early)
            stack_.must({"up", "-d"});
        else
            EXPECT_EQ(prepared.status, 0) << prepared.err;
        const Result result = stack_.run(scene.command, environment);
        EXPECT_TRUE(arm != &Failpoints::delaying || result.status == 0) << result.err;
        const bool came_by = !too_early && broken.hits()[failpoint] > before;
        if (scene.command.front() != "down")
            stack_.must(scene.command);
        expect_done(scene);
        end();
        return came_by;
    }

    /// At each `stride`th of its failpoints, beginning with the `first`th.
    void break_everywhere(const Scene& scene,
                          Arm arm,
                          std::size_t stride = 1,
                          std::size_t first = 0) {
        if (std::getenv("STACK_BREAK_ALL") != nullptr)  // NOLINT(concurrency-mt-unsafe)
            stride = 1;
        std::size_t index = 0;
        std::size_t tried = 0;
        std::size_t missed = 0;
        for (const auto& [failpoint, before] : passed_by(scene)) {
            if (index++ % stride != first % stride)
                continue;
            SCOPED_TRACE(failpoint);
            ++tried;
            missed += break_at(scene, failpoint, before, arm) ? 0U : 1U;
            if (HasFailure())
                return;
        }
        // What runs beside what is a matter of the moment, and decides about a few: which of two
        // networks makes the table.
        EXPECT_GT(tried * stride, 5U);
        EXPECT_LE(missed * 5, tried + stride);
    }

    static constexpr std::size_t each_second = 2;  // the other ones are another test's
    static constexpr std::size_t each_tenth = 10;

    const Scene up_{.command = {"up", "-d"}, .begins = true};
    const Scene edit_{.command = {"up", "-d"}, .file = edited_file()};
    const Scene scale_{.command = {"scale", "store=2"}};
    const Scene down_{.command = {"down", "-v"}};

    StackProgram stack_;
    const std::string untouched_ = sandbox_directory() + "/untouched";
};

TEST_F(Break, KillsAChangeOfNetworksInTheMiddle) {
    for (const std::string failpoint :
         {"container.rewire.detached", "container.rewire.connected"}) {
        SCOPED_TRACE(failpoint);
        const Failpoints broken("broken");
        ASSERT_EQ(prepare(edit_, broken.killing(failpoint, 1)).status, 0);
        const auto before = container(stack_, "store")["ID"];
        static_cast<void>(stack_.run({"up", "-d"}));
        EXPECT_EQ(broken.hits()[failpoint], 1);
        stack_.must({"up", "-d"});
        expect_done(edit_);
        EXPECT_EQ(container(stack_, "store")["ID"], before);
        const auto networks = stack_.must({"container", "inspect", "shop-store-1"});
        EXPECT_NE(networks.find("shop_side"), std::string::npos);
        EXPECT_EQ(networks.find("shop_back"), std::string::npos);
        end();
    }
}

TEST_F(Break, KillsUpAtEveryFailpointOfOneHalf) {
    break_everywhere(up_, &Failpoints::killing, each_second, 0);
}

TEST_F(Break, KillsUpAtEveryFailpointOfTheOther) {
    break_everywhere(up_, &Failpoints::killing, each_second, 1);
}

TEST_F(Break, KillsDownAtEveryFailpoint) {
    break_everywhere(down_, &Failpoints::killing);
}

TEST_F(Break, FailsUpAtEveryFailpointOfOneHalf) {
    break_everywhere(up_, &Failpoints::failing, each_second, 0);
}

TEST_F(Break, FailsUpAtEveryFailpointOfTheOther) {
    break_everywhere(up_, &Failpoints::failing, each_second, 1);
}

TEST_F(Break, FailsDownAtEveryFailpoint) {
    break_everywhere(down_, &Failpoints::failing);
}

TEST_F(Break, KillsAnEditAtFailpoints) {
    break_everywhere(edit_, &Failpoints::killing, each_tenth, 0);
}

TEST_F(Break, FailsAnEditAtFailpoints) {
    break_everywhere(edit_, &Failpoints::failing, each_tenth, 1);
}

TEST_F(Break, KillsScaleAtFailpoints) {
    break_everywhere(scale_, &Failpoints::killing, each_tenth, 2);
}

TEST_F(Break, FailsScaleAtFailpoints) {
    break_everywhere(scale_, &Failpoints::failing, each_tenth, 3);
}

TEST_F(Break, DelaysUpAtFailpoints) {
    break_everywhere(up_, &Failpoints::delaying, each_tenth, 4);
}

TEST_F(Break, DelaysAnEditAtFailpoints) {
    break_everywhere(edit_, &Failpoints::delaying, each_tenth, 2);
}

TEST_F(Break, DelaysScaleAtFailpoints) {
    break_everywhere(scale_, &Failpoints::delaying, each_tenth, 0);
}

TEST_F(Break, DelaysDownAtFailpoints) {
    break_everywhere(down_, &Failpoints::delaying, each_tenth, 1);
}

}  // namespace
}  // namespace stack::test
