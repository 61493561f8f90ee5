// Images whose files stand where the engine itself reads, writes and mounts, and are not what it
// expects there: a link to the host, a loop, a pipe, a device (security.md 2M, 1 to 13). Whatever
// is done with them, nothing of the host is changed or read, and there is an end to it: it works,
// or one sentence says why not.

#include "tests/integration/hostile_tree.h"
#include "tests/integration/world.h"
#include "tests/support/leaks.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

/// Where the engine looks, in the image. Behind a `*` it expects a directory.
constexpr std::array places{
    "*dev",         "dev/null",        "dev/console", "dev/ptmx",   "*dev/pts",
    "*dev/shm",     "dev/fd",          "*dev/mqueue", "*proc",      "*sys",
    "*etc",         "etc/passwd",      "etc/group",   "etc/hosts",  "etc/mtab",
    "etc/hostname", "etc/resolv.conf", "*run",        "*data",      "*data/deep",
    "*scratch",     "*work",           "*work/deep",  "*home/user", "*declared",
    "config"};

/// Most rows' commands are those of other rows. These look for leaks: no divisor of the numbers of
/// forms and ways.
constexpr std::size_t each_watched = 5;

class HostileImage : public testing::Test {
  protected:
    void SetUp() override {
        if (!fs::exists(plain_))  // another test of this process may have been here
            make_busybox_root(plain_);
        std::ofstream(here_ / "given") << "given\n";
    }

    void TearDown() override {
        canary_.expect_unchanged();
        expect_nothing_left(stack_);
    }

    /// The root file system of an image with `form` at `place`.
    std::string image(std::string place, const std::string& form) {
        const fs::path root = here_ / "root";
        fs::remove_all(root);
        fs::copy(plain_, root, fs::copy_options::recursive | fs::copy_options::create_hard_links);
        const bool is_directory = place[0] == '*';
        const fs::path path = root / place.substr(is_directory ? 1 : 0);
        fs::remove_all(path);
        fs::create_directories(path.parent_path());
        put_hostile(root, path, form, is_directory ? canary_.place() : canary_.place() / "file");
        return root.string();
    }

    /// Works, or is refused in one sentence.
    void expect_sense(const std::vector<std::string>& words) const {
        SCOPED_TRACE(words[1]);
        test::expect_sense(stack_.run(words));
        canary_.expect_unchanged();
    }

    /// With all that makes the engine look into the image.
    [[nodiscard]] std::vector<std::string> container(const std::vector<std::string>& options,
                                                     const std::string& image) const {
        std::vector<std::string> words{"container", "run", "--name", "it", "-v", "data:/data"};
        for (const auto* word :
             {"-v", "deep:/data/deep", "--tmpfs", "/scratch", "-w", "/work/deep"})
            words.emplace_back(word);
        words.insert(words.end(), {"-v", (here_ / "given").string() + ":/config"});
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(image);
        return words;
    }

    StackProgram stack_;
    fs::path here_ = stack_.directory();
    std::string plain_ = (here_ / "plain").string();
    Canary canary_{here_ / "canary"};
};

TEST_F(HostileImage, StartsOrIsRefusedAndTouchesNothingOfTheHost) {
    const std::array<std::vector<std::string>, 4> ways{{{"--rm"},
                                                        {"--rm", "-t"},
                                                        {"--rm", "--read-only", "-u", "nobody"},
                                                        {"--rm", "-u", "1000:nogroup", "--init"}}};
    std::size_t row = 0;
    for (const std::string place : places)
        for (const std::string form : hostile_forms) {
            // Each place in each form, each form in each way; all three would be a thousand.
            auto options = ways.at((row + row / hostile_forms.size()) % ways.size());
            // Every second one; in the next run of rows the other ones' forms. STACK_EVERY_ROW:
            // all.
            if (++row % 2 == 0 && ::getenv("STACK_EVERY_ROW") == nullptr)
                continue;
            SCOPED_TRACE(place + " is a " + form + ", " + options.back());
            std::optional<LeaksOverlooked> overlooked;
            if (row % each_watched != 0)
                overlooked.emplace();
            auto words = container(options, "rootfs:" + image(place, form));
            words.insert(words.end(), {"/bin/busybox", "true"});
            expect_sense(words);
            static_cast<void>(stack_.run({"container", "rm", "-fv", "it"}));
        }
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
    static_cast<void>(stack_.run({"volume", "prune", "-af"}));
}

/// CVE-2026-41579, CVE-2026-47766: the user's own /dev over the one that the image makes a link.
TEST_F(HostileImage, TakesADevOfItsUsersToo) {
    fs::create_directories(here_ / "devices");
    const std::array<std::vector<std::string>, 3> ways{{{}, {"-t"}, {"--read-only"}}};
    for (const std::string form : {"link", "upward link", "chain of links", "dangling link"})
        for (const auto& way : ways) {
            SCOPED_TRACE(form + (way.empty() ? "" : ", " + way.front()));
            std::vector<std::string> options{"--rm", "-v", (here_ / "devices").string() + ":/dev"};
            options.insert(options.end(), way.begin(), way.end());
            auto words = container(options, "rootfs:" + image("*dev", form));
            words.insert(words.end(), {"/bin/busybox", "true"});
            expect_sense(words);
            EXPECT_TRUE(fs::is_empty(here_ / "devices")) << "a device for the host";
            static_cast<void>(stack_.run({"container", "rm", "-fv", "it"}));
        }
    static_cast<void>(stack_.run({"volume", "prune", "-af"}));
}

/// CVE-2026-47262: a list of groups without an end.
TEST_F(HostileImage, SaysThatItsGroupsAreTooMany) {
    const fs::path root = image("config", "link");
    for (const auto* file : {"etc/group", "etc/passwd"}) {
        fs::remove(root / "etc/group");  // hard links to the plain ones
        fs::remove(root / "etc/passwd");
        std::ofstream(root / "etc/group") << "root:x:0:\n";
        std::ofstream(root / "etc/passwd") << "root:x:0:0::/:/bin/sh\n";
        constexpr std::uintmax_t much = std::uintmax_t{5} << 30U;
        fs::resize_file(root / file, much);
        const auto begin = std::chrono::steady_clock::now();
        const Result result =
            stack_.run({"container", "run", "--rm", "rootfs:" + root.string(), "/bin/busybox"});
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
        EXPECT_NE(result.status, 0);
        EXPECT_NE(result.err.find("/" + std::string(file) + " of the container has 4 MiB or more"),
                  std::string::npos)
            << result.err;
    }
}

TEST_F(HostileImage, IsLookedAtCopiedAndBuiltUponWithoutTouchingTheHost) {
    std::size_t row = 0;
    for (const std::string place : places) {
        SCOPED_TRACE(place);
        std::optional<LeaksOverlooked> overlooked;
        if (row++ % each_watched != 0)
            overlooked.emplace();
        stack_.must({"image", "import", image(place, "link"), "hostile", "-c", "VOLUME /declared"});
        auto words = container({"-d"}, "hostile");
        words.insert(words.end(), {"/bin/busybox", "sleep", "1000"});
        expect_sense(words);
        const std::string path = "/" + place.substr(place[0] == '*' ? 1 : 0);
        expect_sense({"container", "exec", "-u", "nobody", "it", "/bin/busybox", "true"});
        expect_sense({"container", "cp", (here_ / "given").string(), "it:" + path});
        expect_sense({"container", "cp", "it:" + path, (here_ / "taken").string()});
        fs::remove_all(here_ / "taken");
        expect_sense({"container", "diff", "it"});
        expect_sense({"container", "export", "it", "-o", (here_ / "exported").string()});
        static_cast<void>(stack_.run({"container", "rm", "-fv", "it"}));
        stack_.write("Dockerfile",
                     "FROM hostile\nWORKDIR " + path + "\nCOPY given " + path + "/\nCOPY given " +
                         path + "\nRUN true\n");
        expect_sense({"image", "build", "-q", "-t", "built", "."});
    }
    static_cast<void>(stack_.run({"builder", "prune", "-af"}));
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
    static_cast<void>(stack_.run({"volume", "prune", "-af"}));
}

}  // namespace
}  // namespace stack::test
