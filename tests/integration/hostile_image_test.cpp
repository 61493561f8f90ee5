// Images whose files stand where the engine itself reads, writes and mounts, and are not what it
// expects there: a link to the host, a loop, a pipe, a device (security.md 2M, 1 to 13). Whatever
// is done with them, nothing of the host is changed or read, and there is an end to it: it works,
// or one sentence says why not.

#include "sys/file.h"
#include "tests/integration/world.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

/// What is there instead.
constexpr std::array forms{"link",
                           "upward link",
                           "chain of links",
                           "loop",
                           "dangling link",
                           "pipe",
                           "device",
                           "wrong kind",
                           "closed",
                           "hard link",
                           "socket"};

/// A tree of the host that no container has anything to do with.
class Canary {
  public:
    explicit Canary(fs::path place) : place_(std::move(place)) {
        fs::create_directories(place_ / "deep");
        std::ofstream(place_ / "file") << "root:x:0:0::/:/bin/sh\n";
        std::ofstream(place_ / "deep/file") << "alive\n";
        // So that reading it shows: the time of access is renewed where it is not after that of
        // modification (mount(8), relatime).
        const std::array<timespec, 2> times{timespec{1, 0}, timespec{1000, 0}};
        for (const auto* file : {"file", "deep/file"})
            ::utimensat(AT_FDCWD, (place_ / file).c_str(), times.data(), 0);
        before_ = described();
    }

    void expect_unchanged() const { EXPECT_EQ(described(), before_); }

    [[nodiscard]] const fs::path& place() const { return place_; }

  private:
    [[nodiscard]] std::string described() const {
        std::string text;
        std::vector<fs::path> paths{place_};
        for (const auto& entry : fs::recursive_directory_iterator(place_))
            paths.push_back(entry.path());
        std::sort(paths.begin(), paths.end());
        for (const auto& path : paths) {
            struct stat status {};

            ::lstat(path.c_str(), &status);
            text +=
                path.string() + " " + std::to_string(status.st_mode) + " " +
                std::to_string(status.st_uid) + " " + std::to_string(status.st_nlink) + " " +
                std::to_string(status.st_size) + " " + std::to_string(status.st_ctim.tv_sec) + "." +
                std::to_string(status.st_ctim.tv_nsec) +
                (S_ISREG(status.st_mode) ? " read " + std::to_string(status.st_atim.tv_sec) : "") +
                "\n";
        }
        return text;
    }

    fs::path place_;
    std::string before_;
};

/// Without what the leak sanitizer says where it may not trace a confined process.
std::ptrdiff_t lines_of(const std::string& text) {
    std::istringstream lines(text);
    std::ptrdiff_t count = 0;
    for (std::string line; std::getline(lines, line);)
        count += line.starts_with("==") ? 0 : 1;
    return count;
}

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
        put(root, path, form, is_directory ? canary_.place() : canary_.place() / "file");
        return root.string();
    }

    /// Works, or is refused in one sentence.
    void expect_sense(const std::vector<std::string>& words) const {
        const auto result = stack_.run(words);
        if (result.status != 0) {
            EXPECT_FALSE(result.err.empty()) << words[1];
            EXPECT_EQ(result.err.find("ERROR: AddressSanitizer"), std::string::npos) << result.err;
            EXPECT_EQ(result.err.find("runtime error"), std::string::npos) << result.err;
            EXPECT_LE(lines_of(result.err), 6) << result.err;
        }
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

  private:
    static void put(const fs::path& root,
                    const fs::path& path,
                    const std::string& form,
                    const fs::path& target) {
        if (form == "link") {
            fs::create_symlink(target, path);
        } else if (form == "upward link") {
            fs::create_symlink("../../../../../../../../../../.." + target.string(), path);
        } else if (form == "chain of links") {
            fs::create_symlink(target, root / "first");
            fs::create_symlink("/first", root / "second");
            fs::create_symlink("/second", path);
        } else if (form == "loop") {
            fs::create_symlink("/" + fs::relative(path, root).string(), path);
        } else if (form == "dangling link") {
            fs::create_symlink("/nowhere/at/all", path);
        } else if (form == "pipe") {
            ASSERT_EQ(::mkfifo(path.c_str(), 0666), 0);
        } else if (form == "device") {
            ASSERT_EQ(::mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);  // zeros, no end
        } else if (form == "socket") {
            ASSERT_EQ(::mknod(path.c_str(), S_IFSOCK | 0666, 0), 0);
        } else if (form == "closed") {
            fs::create_directory(path);
            fs::permissions(path, fs::perms::none);
        } else if (form == "hard link") {
            fs::create_hard_link(root / "bin/busybox", path);
        } else if (fs::is_directory(target)) {
            std::ofstream(path) << "a file\n";
        } else {
            fs::create_directory(path);
        }
    }
};

TEST_F(HostileImage, StartsOrIsRefusedAndTouchesNothingOfTheHost) {
    const std::array<std::vector<std::string>, 4> ways{{{"--rm"},
                                                        {"--rm", "-t"},
                                                        {"--rm", "--read-only", "-u", "nobody"},
                                                        {"--rm", "-u", "1000:nogroup", "--init"}}};
    std::size_t row = 0;
    for (const std::string place : places)
        for (const std::string form : forms) {
            // Each place in each form, each form in each way; all three would be a thousand.
            auto options = ways.at((row + row / forms.size()) % ways.size());
            // Every second one; in the next run of rows the other ones' forms. STACK_EVERY_ROW:
            // all.
            if (++row % 2 == 0 && ::getenv("STACK_EVERY_ROW") == nullptr)
                continue;
            SCOPED_TRACE(place + " is a " + form + ", " + options.back());
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
    for (const std::string place : places) {
        SCOPED_TRACE(place);
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
