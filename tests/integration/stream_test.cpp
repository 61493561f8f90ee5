// What containers and commands print: whatever the bytes are, however long a line is, whatever
// becomes of the log, and whether or not anybody reads it.

#include "tests/integration/containers.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

class Streams : public Containers {
  protected:
    /// A container that runs a shell's script, with this test's directory as /out.
    void run(const std::string& script) const {
        must({"run",
              "-d",
              "--name",
              "mine",
              "-v",
              here_.string() + ":/out",
              "busybox",
              "sh",
              "-c",
              script});
    }

    /// `stack` as $stack in a shell's script.
    [[nodiscard]] Result shell(const std::string& script) const {
        const std::string stack = STACK_BINARY_DIR "/stack --root " + stack_.root();
        return test::run(
            {.words = {"sh", "-c", script}, .environment = {{"stack", stack}}, .directory = here_});
    }

    /// The files of its log, the newest first.
    [[nodiscard]] fs::path log() const {
        return fs::path(stack_.root()) / "containers" / std::string(seen("mine")["ID"]) / "log";
    }
};

TEST_F(Streams, OfAnyBytesAreKeptAsTheyAre) {
    run("head -c 300000 /dev/urandom | tee /out/bytes");
    ASSERT_TRUE(reaches("mine", "exited"));
    EXPECT_TRUE(con({"logs", "mine"}).out == content_of(here_ / "bytes"));
}

TEST_F(Streams, OfALineWithoutAnEndTakeNoMemory) {
    run("head -c 40000000 /dev/zero | tr '\\0' x; touch /out/printed; sleep 1000");
    ASSERT_TRUE(eventually([&] { return fs::exists(here_ / "printed"); }));
    const auto shims = shim_pids();
    ASSERT_EQ(shims.size(), 1U);
    const std::string status = content_of("/proc/" + shims.front() + "/status");
    constexpr long most = 16L * 1024;  // KiB
    EXPECT_LT(std::stol(status.substr(status.find("VmHWM:") + 6)), most);
    EXPECT_EQ(shell("$stack container logs mine | wc -c").out, "40000000\n");
}

TEST_F(Streams, OfADamagedLogAreReadAroundTheDamage) {
    run("seq 1 1000");
    ASSERT_TRUE(reaches("mine", "exited"));
    const auto before = fs::file_size(log());
    {
        std::fstream file(log(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(before / 2));
        file << "\xff\n\n garbage" << std::string(100, '\0') << "\n{";
    }
    const Result logs = con({"logs", "mine"});
    EXPECT_EQ(logs.status, 0) << logs.err;
    EXPECT_TRUE(logs.out.starts_with("1\n2\n3\n")) << logs.out.substr(0, 100);
    EXPECT_TRUE(logs.out.ends_with("998\n999\n1000\n"));
    EXPECT_EQ(con({"logs", "--tail", "1", "mine"}).out, "1000\n");
}

/// A command of ours that goes on, with what it prints in a file.
class Reader {
  public:
    Reader(const StackProgram& stack, const std::vector<std::string>& words, fs::path file)
        : file_(std::move(file)) {
        std::vector<const char*> arguments{"stack", "--root", stack.root().c_str(), "container"};
        for (const auto& word : words)
            arguments.push_back(word.c_str());
        arguments.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            const int out = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(out, STDOUT_FILENO);
            ::dup2(out, STDERR_FILENO);
            ::execv(STACK_BINARY_DIR "/stack", const_cast<char**>(arguments.data()));
            ::_exit(1);
        }
    }

    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    ~Reader() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    void signal(int number) const { ASSERT_EQ(::kill(pid_, number), 0); }

    [[nodiscard]] std::string seen() const { return content_of(file_); }

  private:
    const fs::path file_;
    pid_t pid_ = 0;
};

TEST_F(Streams, OfReadersThatAreStoppedHoldUpNobodyElse) {
    run("until test -e /out/go; do echo tick; sleep 0.1; done; seq 1 400000; touch /out/done; "
        "sleep 1000");
    const Reader follower(stack_, {"logs", "-f", "mine"}, here_ / "followed");
    const Reader attached(stack_, {"attach", "--no-stdin", "mine"}, here_ / "attached");
    const Reader other(stack_, {"attach", "--no-stdin", "mine"}, here_ / "other");
    for (const auto* reader : {&follower, &attached, &other})
        ASSERT_TRUE(eventually([&] { return reader->seen().find("tick") != std::string::npos; }));
    for (const auto* reader : {&follower, &attached})
        reader->signal(SIGSTOP);
    std::ofstream(here_ / "go") << "";
    // More than all pipes and sockets on the way can take.
    EXPECT_TRUE(eventually([&] { return fs::exists(here_ / "done"); }));
    const auto has_all = [](const Reader& reader) {
        return reader.seen().find("\n400000\n") != std::string::npos;
    };
    EXPECT_TRUE(eventually([&] { return has_all(other); }));
    EXPECT_EQ(con({"logs", "--tail", "1", "mine"}).out, "400000\n");
    for (const auto* reader : {&follower, &attached})
        reader->signal(SIGCONT);
    EXPECT_TRUE(eventually([&] { return has_all(follower); }));
    must({"kill", "mine"});
}

TEST_F(Streams, OfACommandThatNobodyReadsEndIt) {
    stack_.write(
        "compose.yaml",
        "name: shop\nservices: {web: {image: busybox, command: sh -c 'while echo tick; do sleep "
        "0.1; done', stop_grace_period: 0s}}\n");
    EXPECT_EQ(shell("$stack up 2>/dev/null | head -n 1 | grep -c tick").out, "1\n");
    EXPECT_EQ(shell("$stack up -d 2>&1 | head -n 1 | wc -l").out, "1\n");
    EXPECT_TRUE(eventually([&] { return container(stack_, "web")["State"] == "running"; }));
    const Result full = shell("$stack ps -a > /dev/full");
    EXPECT_NE(full.status, 0);
    EXPECT_NE(full.err.find("No space left on device"), std::string::npos) << full.err;
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    stack_.must({"down"});
}

}  // namespace
}  // namespace stack::test
