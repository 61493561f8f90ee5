// Nothing of ours is reachable from inside a container: not the processes that start it and come
// into it, not their programs and descriptors, not their files (security.md 2A, 2H).

#include "base/digest.h"
#include "tests/integration/world.h"
#include "tests/support/leaks.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

using Lines = std::set<std::string>;

std::string content(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

Lines lines_of(const std::string& text) {
    Lines lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.insert(line);
    return lines;
}

class Exposure : public testing::Test {
  protected:
    void SetUp() override { import_probed(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"container", "rm", "-f", "watch"}));
        expect_nothing_left(stack_);
    }

    /// A container whose only process looks for what it can get at.
    void start_watching(const std::vector<std::string>& options = {}) const {
        std::vector<std::string> words{"container", "run", "-d", "--name", "watch"};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"probed", "/probe", "watch"});
        stack_.must(words);
    }

    /// That it sees what it may see shows that it looks: busybox, for as long as it takes.
    void expect_seen_only_what_is_its_own() const {
        EXPECT_TRUE(eventually([&] {
            stack_.must({"container", "exec", "watch", "busybox", "sleep", "1"});
            return stack_.must({"container", "logs", "watch"}).find("busybox") != std::string::npos;
        }));
        EXPECT_EQ(lines_of(stack_.must({"container", "logs", "watch"})),
                  (Lines{"program /bin/busybox"}));
    }

    void repeat(const std::vector<std::string>& words) const {
        stack_.must(words);
        const LeaksOverlooked overlooked;
        constexpr int more = 19;
        for (int i = 0; i < more; ++i)
            stack_.must(words);
    }

    StackProgram stack_;
    fs::path here_ = stack_.directory();
};

/// CVE-2016-9962: what joins a container is seen by its root before it has dropped its rights.
TEST_F(Exposure, IsNotOfCommandsThatJoin) {
    start_watching();
    repeat({"container", "exec", "watch", "busybox", "true"});
    expect_seen_only_what_is_its_own();
}

/// Who may trace sees what joins, and is welcome to it: that has no right that the container has
/// not, and nothing of the host's open.
TEST_F(Exposure, IsNotOfCommandsThatJoinWhoMayTrace) {
    start_watching({"--cap-add", "SYS_PTRACE"});
    repeat({"container", "exec", "watch", "busybox", "true"});
    repeat({"container", "exec", "-u", "1000", "watch", "busybox", "true"});
    EXPECT_TRUE(eventually([&] {
        stack_.must({"container", "exec", "watch", "busybox", "sleep", "1"});
        return stack_.must({"container", "logs", "watch"}).find("busybox") != std::string::npos;
    }));
    for (const auto& line : lines_of(stack_.must({"container", "logs", "watch"})))
        EXPECT_TRUE(line.starts_with("program ")) << line;
}

/// The command is the same whichever way it was made.
TEST_F(Exposure, OfNothingTakesNothingFromACommandThatJoins) {
    start_watching({"--cap-add", "SYS_PTRACE"});
    const std::string told = "id -u; cat; echo loud >&2; test -t 0 || exit 7";
    const Result result =
        stack_.run({"container", "exec", "-i", "-u", "1000", "watch", "busybox", "sh", "-c", told},
                   {},
                   "in\n");
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(result.out, "1000\nin\n");
    EXPECT_EQ(result.err, "loud\n");
    const Result missing = stack_.run({"container", "exec", "watch", "no-such-program"});
    EXPECT_EQ(missing.status, 127);
    EXPECT_NE(missing.err.find("no-such-program"), std::string::npos) << missing.err;
    const Result nobody =
        stack_.run({"container", "exec", "-w", "/proc/self/fd/9", "watch", "pwd"});
    EXPECT_NE(nobody.status, 0);
    EXPECT_NE(nobody.err, "");
}

TEST_F(Exposure, IsNotOfWhatIsBornInItsPidNamespace) {
    start_watching();
    repeat({"container",
            "run",
            "--rm",
            "--network",
            "none",
            "--pid",
            "container:watch",
            "probed",
            "busybox",
            "true"});
    expect_seen_only_what_is_its_own();
}

/// Supervisors, shims, the name service, workers.
TEST_F(Exposure, IsNotOfTheHostsProcessesWhereItSeesThem) {
    start_watching({"--pid", "host"});
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n"
                 "  web: {image: probed, command: busybox sleep 1000, stop_signal: SIGKILL}\n");
    stack_.write("tree/file", std::string(1U << 20U, 'x'));
    ASSERT_EQ(run({"tar", "-C", here_ / "tree", "-cf", here_ / "tree.tar", "file"}).status, 0);
    stack_.must({"up", "-d"});
    // Who looks for leaks lets itself be traced for that.
    const auto must = [&](const std::vector<std::string>& words) {
        const Result result = stack_.run(words, {{"ASAN_OPTIONS", "detect_leaks=0"}});
        EXPECT_EQ(result.status, 0) << result.err;
    };
    constexpr int times = 5;
    for (int i = 0; i < times; ++i) {
        must({"exec", "-T", "web", "busybox", "true"});
        must({"cp", "tree/file", "web:/tmp"});
        must({"cp", "web:/tmp/file", "back"});
        must({"image", "import", "tar:" + (here_ / "tree.tar").string(), "tree"});
    }
    expect_seen_only_what_is_its_own();
    stack_.must({"image", "rm", "tree"});
    stack_.must({"down", "-v", "-t", "0"});
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
}

TEST_F(Exposure, IsNotOfHealthChecksAndHooks) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: probed
    container_name: watch
    command: [/probe, watch]
    stop_signal: SIGKILL
    healthcheck: {test: [CMD, busybox, "true"], interval: 100ms}
    post_start: [{command: [busybox, "true"]}, {command: [busybox, "true"]}]
)");
    stack_.must({"up", "-d", "--wait"});
    constexpr int a_while_ms = 4000;
    ::poll(nullptr, 0, a_while_ms);
    expect_seen_only_what_is_its_own();
    stack_.must({"down", "-v", "-t", "0"});
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
}

/// With a helper of its own, which only this test can have changed.
class OwnHelper : public Exposure {
  protected:
    void SetUp() override {
        Exposure::SetUp();
        fs::create_directories(here_ / "libexec");
        for (const auto* name : {"stack-shim", "stack-fetch", "stack-dns"})
            fs::copy_file(fs::path(STACK_BINARY_DIR) / name,
                          here_ / "libexec" / name,
                          fs::copy_options::overwrite_existing);
        before_ = sha256_hex(content(here_ / "libexec/stack-shim"));
    }

    void TearDown() override {
        EXPECT_EQ(sha256_hex(content(here_ / "libexec/stack-shim")), before_);
        Exposure::TearDown();
    }

    [[nodiscard]] Result with_own_helper(const std::vector<std::string>& words) const {
        return stack_.run(words, {{"STACK_LIBEXEC", (here_ / "libexec").string()}});
    }

    /// An image whose /evil is run by whatever program runs it.
    void import_evil() const {
        const fs::path root = here_ / "evil";
        if (fs::exists(root))
            return;
        make_busybox_root(root.string());
        std::ofstream(root / "evil") << "#!/proc/self/exe\n";
        fs::permissions(root / "evil", fs::perms(0755));
        stack_.must({"image", "import", "rootfs:" + root.string(), "evil"});
    }

    std::string before_;
};

/// CVE-2019-5736.
TEST_F(OwnHelper, IsNotWrittenToByWhoeverHasItRunAsTheContainersProgram) {
    import_evil();
    const Result result =
        with_own_helper({"container", "run", "--rm", "--network", "none", "evil", "/evil"});
    EXPECT_EQ(result.status, 2) << result.err;
    const std::string overwrite =
        "while :; do for p in /proc/[0-9]*; do (echo x > $p/exe) 2> /dev/null && echo written; "
        "done; done";
    const Result started = with_own_helper({"container",
                                            "run",
                                            "-d",
                                            "--network",
                                            "none",
                                            "--name",
                                            "watch",
                                            "evil",
                                            "sh",
                                            "-c",
                                            overwrite});
    ASSERT_EQ(started.status, 0) << started.err;
    constexpr int times = 15;
    for (int i = 0; i < times; ++i)
        EXPECT_EQ(with_own_helper({"container", "exec", "watch", "/evil"}).status, 2);
    EXPECT_EQ(stack_.must({"container", "logs", "watch"}), "");
}

TEST_F(OwnHelper, IsNotWrittenToWhereItIsTheContainersInit) {
    const Result result = with_own_helper({"container",
                                           "run",
                                           "--rm",
                                           "--init",
                                           "--network",
                                           "none",
                                           "probed",
                                           "sh",
                                           "-c",
                                           "echo x > /proc/1/exe; echo x > /dev/init"});
    EXPECT_EQ(result.err,
              "sh: can't create /proc/1/exe: Read-only file system\n"
              "sh: can't create /dev/init: Read-only file system\n");
}

/// CVE-2024-21626: of a careless parent, or of the engine itself.
TEST_F(Exposure, IsNotOfDescriptorsOfWhoeverStartsTheProgram) {
    start_watching();
    const auto carelessly = [&](const std::string& words) {
        return run({"sh",
                    "-c",
                    "exec 7< / 8< / 9< /etc/passwd; exec " STACK_BINARY_DIR "/stack --root " +
                        stack_.root() + " " + words});
    };
    for (const std::string words :
         {"container run --rm --network none probed", "container exec watch"}) {
        const Result result = carelessly(words + " /probe");
        EXPECT_NE(result.out.find("descriptor 2: "), std::string::npos) << result.err;
        for (int fd = 3; fd < 30; ++fd)
            EXPECT_EQ(result.out.find("descriptor " + std::to_string(fd) + ": "), std::string::npos)
                << words;
    }
    for (const std::string place : {"/proc/self/fd/7", "/proc/self/fd/8", "/proc/self/fd/9"}) {
        EXPECT_NE(
            carelessly("container run --rm --network none -w " + place + " probed pwd").status, 0)
            << place;
        EXPECT_NE(carelessly("container exec -w " + place + " watch pwd").status, 0) << place;
        stack_.write("Dockerfile", "FROM probed\nWORKDIR " + place + "\nRUN pwd\n");
        EXPECT_NE(carelessly("image build -q " + here_.string()).status, 0) << place;
    }
    stack_.must({"builder", "prune", "-af"});
}

/// CVE-2026-53489, CVE-2026-19730: a link where the log is.
TEST_F(Exposure, IsNotOfWhatALinkAtTheLogsPlaceLeadsTo) {
    stack_.write("canary", "canary\n");
    std::string id = stack_.must({"container", "create", "--name", "watch", "probed", "true"});
    id.pop_back();
    const fs::path directory = fs::path(stack_.root()) / "containers" / id;
    EXPECT_EQ(fs::status(directory).permissions() & (fs::perms::group_all | fs::perms::others_all),
              fs::perms::none);
    fs::create_symlink(here_ / "canary", directory / "log");
    const Result logs = stack_.run({"container", "logs", "watch"});
    EXPECT_EQ(logs.out, "");
    EXPECT_NE(stack_.run({"container", "start", "watch"}).status, 0);
    EXPECT_EQ(content(here_ / "canary"), "canary\n");
}

}  // namespace
}  // namespace stack::test
