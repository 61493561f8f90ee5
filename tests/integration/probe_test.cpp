// What a program finds and may do inside a container (tests/probe), against what is written down
// for each way to run it (probe/*.txt): the whole for a plain one, the differences from that for
// the others. STACK_REWRITE_GOLDEN writes it down anew.

#include "tests/integration/world.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
    Lines lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (line.ends_with('\r'))  // a terminal's
            line.pop_back();
        lines.push_back(line);
    }
    return lines;
}

/// The host's, for the probe to tell from a container's own.
Lines host_facts() {
    Lines words;
    for (const std::string space : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"})
        words.push_back(space + "=" + fs::read_symlink("/proc/self/ns/" + space).string());
    constexpr std::array limits{std::pair{"as", RLIMIT_AS},
                                std::pair{"cpu", RLIMIT_CPU},
                                std::pair{"data", RLIMIT_DATA},
                                std::pair{"fsize", RLIMIT_FSIZE},
                                std::pair{"locks", RLIMIT_LOCKS},
                                std::pair{"memlock", RLIMIT_MEMLOCK},
                                std::pair{"msgqueue", RLIMIT_MSGQUEUE},
                                std::pair{"nice", RLIMIT_NICE},
                                std::pair{"nproc", RLIMIT_NPROC},
                                std::pair{"rss", RLIMIT_RSS},
                                std::pair{"rtprio", RLIMIT_RTPRIO},
                                std::pair{"rttime", RLIMIT_RTTIME},
                                std::pair{"sigpending", RLIMIT_SIGPENDING},
                                std::pair{"stack", RLIMIT_STACK}};
    for (const auto& [name, number] : limits) {
        rlimit limit{};
        ::getrlimit(number, &limit);
        words.push_back(std::string(name) + "=" + std::to_string(limit.rlim_cur));
    }
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("CapBnd:\t"))
            words.push_back("capabilities=" + line.substr(8));
    return words;
}

/// Those that `facts` lacks of `whole`, then those that it has beyond.
std::string differences(const Lines& whole, const Lines& facts) {
    std::string text;
    const auto tell = [&](const char* mark, const Lines& lines, const Lines& others) {
        for (const auto& line : lines)
            if (std::find(others.begin(), others.end(), line) == others.end())
                text += mark + line + "\n";
    };
    tell("- ", whole, facts);
    tell("+ ", facts, whole);
    return text;
}

Lines without(Lines facts, const Lines& beginnings) {
    std::erase_if(facts, [&](const std::string& fact) {
        return std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& beginning) {
            return fact.starts_with(beginning);
        });
    });
    return facts;
}

void expect_golden(const std::string& name, const std::string& text) {
    const fs::path path = fs::path(STACK_SOURCE_DIR "/tests/integration/probe") / (name + ".txt");
    if (std::getenv("STACK_REWRITE_GOLDEN") != nullptr) {
        std::ofstream(path) << text;
        return;
    }
    std::ifstream file(path);
    EXPECT_EQ(text, std::string(std::istreambuf_iterator<char>(file), {})) << path;
}

class Probe : public testing::Test {
  protected:
    void SetUp() override { import_probed(stack_); }

    void TearDown() override { expect_nothing_left(stack_); }

    [[nodiscard]] static Lines probe(Lines before = {}) {
        before.emplace_back("/probe");
        const Lines host = host_facts();
        before.insert(before.end(), host.begin(), host.end());
        return before;
    }

    [[nodiscard]] Lines in_a_container(const Lines& options = {}) const {
        Lines words{"container", "run", "--rm"};
        words.insert(words.end(), options.begin(), options.end());
        words.emplace_back("probed");
        return lines_of(stack_.must(probe(std::move(words))));
    }

    /// What is not the same on every machine where it runs so is left out.
    void expect_differences(const std::string& name,
                            const Lines& options,
                            const Lines& of_the_machine = {}) const {
        SCOPED_TRACE(name);
        expect_golden(name,
                      differences(without(in_a_container(), of_the_machine),
                                  without(in_a_container(options), of_the_machine)));
    }

    StackProgram stack_;
};

TEST_F(Probe, FindsAPlainContainerAsItShouldBe) {
    std::string text;
    for (const auto& line : in_a_container())
        text += line + "\n";
    expect_golden("default", text);
}

TEST_F(Probe, FindsOtherContainersAsTheyShouldBe) {
    expect_differences("user", {"--user", "nobody"});
    expect_differences("read-only", {"--read-only"});
    expect_differences("no-new-privileges", {"--security-opt", "no-new-privileges:true"});
    expect_differences("init", {"--init"});
    expect_differences("terminal", {"-t"});
    expect_differences("no-capability", {"--cap-drop", "ALL"});
    // Which of the host's ids they are is another one every time.
    expect_differences("own-users", {"--userns", "private"}, {"map of users: ", "mount /dev"});
}

/// The machine's devices are there, and what its kernel has.
TEST_F(Probe, FindsNoWallsWhereNoneAreWanted) {
    expect_differences("privileged",
                       {"--privileged"},
                       {"device ", "opens device ", "closed ", "read-only /proc/sysrq-trigger"});
}

TEST_F(Probe, FindsTheHostWhereItIsWanted) {
    expect_differences("host",
                       {"--network",
                        "host",
                        "--pid",
                        "host",
                        "--ipc",
                        "host",
                        "--uts",
                        "host",
                        "--cgroupns",
                        "host"},
                       {"mount /dev/shm", "mount /dev/mqueue", "device shm", "device mqueue"});
}

TEST_F(Probe, FindsACommandThatJoinsAsItShouldBe) {
    stack_.must({"container", "run", "-d", "--name", "joined", "probed", "sleep", "1000"});
    const Lines whole = in_a_container();
    expect_golden(
        "exec", differences(whole, lines_of(stack_.must(probe({"container", "exec", "joined"})))));
    expect_golden(
        "exec-user",
        differences(whole,
                    lines_of(stack_.must(probe({"container", "exec", "-u", "nobody", "joined"})))));
    stack_.must({"container", "rm", "-f", "joined"});
}

TEST_F(Probe, FindsHealthChecksAndHooksAsTheyShouldBe) {
    const auto command = [](const std::string& file) {
        Lines words = probe();
        words.insert(words.begin() + 1, "to=" + file);
        return nlohmann::json(words).dump();
    };
    Lines check = probe({"CMD"});
    check.insert(check.begin() + 2, "to=/checked");
    // Once: it is healthy then.
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n  web:\n    image: probed\n    command: sleep 1000\n"
                 "    stop_signal: SIGKILL\n    healthcheck:\n      test: " +
                     nlohmann::json(check).dump() +
                     "\n      interval: 1h\n      start_period: 1m\n      start_interval: 500ms\n"
                     "    post_start:\n      - command: " +
                     command("/started") + "\n");
    stack_.must({"up", "-d", "--wait"});
    const Lines whole = in_a_container();
    for (const std::string turn : {"checked", "started"})
        expect_golden(
            turn == "checked" ? "health-check" : "hook",
            differences(whole, lines_of(stack_.must({"exec", "-T", "web", "cat", "/" + turn}))));
    stack_.must({"down", "-v", "-t", "0"});
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
}

TEST_F(Probe, FindsAStepOfABuildAsItShouldBe) {
    Lines step = probe();
    step.insert(step.begin() + 1, "to=/facts");
    stack_.write("Dockerfile", "FROM probed\nRUN " + nlohmann::json(step).dump() + "\n");
    stack_.must({"image", "build", "-q", "-t", "built", "."});
    expect_golden(
        "build-step",
        differences(in_a_container(),
                    lines_of(stack_.must({"container", "run", "--rm", "built", "cat", "/facts"}))));
    stack_.must({"builder", "prune", "-af"});
}

}  // namespace
}  // namespace stack::test
