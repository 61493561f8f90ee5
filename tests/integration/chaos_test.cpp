// Thirty containers while whatever there is of ours, and the containers themselves, is killed at
// random: in the end one `up` puts everything right, no line that was kept has a gap before it, and
// nothing is left. STACK_CHAOS_SECONDS: for how long (default 10); STACK_CHAOS_SEED: the same
// again.

#include "base/text.h"
#include "tests/integration/world.h"
#include "tests/support/sandbox.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int services = 30;

/// Each run of a service's command has a name of its own. It counts, first to the log, then to a
/// file of its run: what the file has, the log must have. What the shell says of a killed child is
/// not said.
constexpr const char* counting =
    "exec 2>/dev/null; run=$$(cat /proc/sys/kernel/random/uuid) || exit 1; n=0; while :; do echo "
    "$$run $$n; "
    "echo $$n >> /out/$$run; n=$$((n+1)); sleep 0.2; done";

long setting(const char* name, long otherwise) {
    const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
    return text == nullptr ? otherwise : std::stol(text);
}

class Chaos : public testing::Test {
  protected:
    void SetUp() override {
        std::cerr << "STACK_CHAOS_SEED=" << seed_ << "\n";
        import_busybox(stack_);
        fs::create_directories(out());
        std::string text = "name: shop\nservices:\n";
        for (int i = 0; i < services; ++i)
            text += "  s" + std::to_string(i) +
                    ":\n    image: busybox\n    restart: always\n    volumes: [\"./out:/out\"]\n"
                    "    command: [sh, -c, \"" +
                    counting + "\"]\n";
        stack_.write("compose.yaml", text);
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "0"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    [[nodiscard]] std::string out() const { return stack_.directory() + "/out"; }

    /// One process of this sandbox that is ours or a container's, if there is one.
    void kill_one() {
        static const std::vector<std::string> programs{
            "stack", "stack-shim", "stack-dns", "sh", "sh", "sh"};
        const std::string& program = programs[random_() % programs.size()];
        const auto pids = pids_of(program);
        if (pids.empty() || ::kill(std::stoi(pids[random_() % pids.size()]), SIGKILL) != 0)
            return;
        if (program == "stack-shim")
            ++killed_shims_;
    }

    /// Kills for a while, with a command beside it now and then.
    void rage() {
        const auto end = Clock::now() + std::chrono::seconds(setting("STACK_CHAOS_SECONDS", 10));
        while (Clock::now() < end) {
            std::thread command;
            if (random_() % 10 == 0)
                command = std::thread([&] { static_cast<void>(stack_.run({"up", "-d"})); });
            for (int i = 0; i < 10; ++i) {
                kill_one();
                std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 100));
            }
            if (command.joinable())
                command.join();
        }
    }

    [[nodiscard]] bool all_run() const {
        const auto all = containers(stack_);
        return all.size() == services && std::all_of(all.begin(), all.end(), [](const auto& one) {
                   return one.at("State") == "running";
               });
    }

    /// How many lines of each run the logs have; a failure where one has a gap.
    [[nodiscard]] std::map<std::string, long> kept_lines() const {
        std::map<std::string, long> kept;
        for (const auto& line :
             split(stack_.must({"logs", "--no-log-prefix", "--no-color"}), '\n')) {
            const auto [run, number] = split_once(line, ' ');
            if (run.empty())
                continue;
            EXPECT_EQ(number, std::to_string(kept[run])) << "after a gap in " << run;
            ++kept[run];
        }
        return kept;
    }

    /// Who kills a shim loses what its container had printed and nobody had read.
    void expect_every_line() const {
        auto kept = kept_lines();
        EXPECT_GT(kept.size(), services) << "nothing was killed";
        long short_runs = 0;
        for (const auto& run : fs::directory_iterator(out())) {
            std::ifstream file(run.path());
            const auto printed = std::count(
                std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n');
            short_runs += kept[run.path().filename()] < printed ? 1 : 0;
        }
        EXPECT_LE(short_runs, killed_shims_);
    }

    StackProgram stack_;
    const unsigned seed_ =
        static_cast<unsigned>(setting("STACK_CHAOS_SEED", std::random_device{}()));
    std::mt19937 random_{seed_};
    long killed_shims_ = 0;
};

TEST_F(Chaos, EndsWithOneUp) {
    stack_.must({"up", "-d"});
    rage();
    stack_.must({"up", "-d"});
    EXPECT_TRUE(eventually([&] { return all_run(); })) << stack_.must({"ps", "-a"});
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    stack_.must({"stop", "-t", "0"});  // or they would go on counting
    expect_every_line();
}

}  // namespace
}  // namespace stack::test
