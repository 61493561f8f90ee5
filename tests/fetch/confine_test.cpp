// What a worker can still do that hostile bytes have taken over: tried in a child, which says by
// its status what it could.

#include "fetch/confine.h"

#include "base/random.h"
#include "fetch/import.h"
#include "fetch/readable.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

using Attempt = std::function<long()>;

bool has_landlock() {
    return ::syscall(SYS_landlock_create_ruleset, nullptr, 0U, LANDLOCK_CREATE_RULESET_VERSION) >=
           2;
}

class Confine : public testing::Test {
  protected:
    Confine() : base_(testing::TempDir() + "stack-confine-" + random_hex(8)) {
        sys::ensure_directory(base_ + "/inside");
        sys::ensure_directory(base_ + "/images");
        sys::replace_file(base_ + "/outside", "secret");
        sys::replace_file(base_ + "/inside/file", "x");
    }

    ~Confine() override { sys::remove_tree(base_); }

    /// The errno of each attempt, 0 where it succeeded, made by a child that `confines` itself.
    static std::vector<int> try_all(const std::function<void()>& confines,
                                    const std::vector<Attempt>& attempts) {
        sys::Pipe answers = sys::make_pipe();
        const pid_t child = ::fork();
        if (child == 0) {
            confines();
            for (const auto& attempt : attempts) {
                errno = 0;
                const int error = attempt() < 0 ? errno : 0;
                sys::write_all(answers.write,
                               {reinterpret_cast<const char*>(&error), sizeof error});
            }
            ::_exit(0);
        }
        answers.write.reset();
        const std::string bytes = sys::read_all(answers.read);
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
        std::vector<int> errors(bytes.size() / sizeof(int));
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(errors.data()));
        EXPECT_EQ(errors.size(), attempts.size());
        errors.resize(attempts.size(), -1);
        return errors;
    }

    [[nodiscard]] Attempt opens(const std::string& path, int flags) const {
        return [name = base_ + path, flags] {
            return static_cast<long>(::open(name.c_str(), flags | O_CLOEXEC, 0600));
        };
    }

    static long run_something() {
        char name[] = "/bin/true";
        char* const words[] = {static_cast<char*>(name), nullptr};
        return ::execv(static_cast<const char*>(name), static_cast<char* const*>(words));
    }

    static long signal_parent() { return ::kill(::getppid(), 0); }

    static long signal_self() { return ::kill(::getpid(), 0); }

    /// In the directory that is the root by then.
    static Attempt opens_here(const std::string& name, int flags) {
        return [name, flags] {
            return static_cast<long>(::open(name.c_str(), flags | O_CLOEXEC, 0600));
        };
    }

    [[nodiscard]] Attempt raises_a_mode() const {
        return
            [name = base_ + "/outside"] { return static_cast<long>(::chmod(name.c_str(), 04755)); };
    }

    static long open_a_disk() {
        if (::mknod("/disk", S_IFBLK | 0600, makedev(7, 0)) < 0)
            return -1;
        return ::open("/disk", O_RDONLY | O_CLOEXEC);
    }

    static long type_into_terminal() {
        const char letter = 'x';
        return ::ioctl(STDERR_FILENO, TIOCSTI, &letter);
    }

    static long limit_parent() {
        const rlimit none{};
        return ::prlimit(::getppid(), RLIMIT_CPU, &none, nullptr);
    }

    static long clone_world() {
        return ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0);
    }

    static long make_world() { return ::unshare(CLONE_NEWUSER | CLONE_NEWNS); }

    static long make_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

    std::string base_;
};

TEST_F(Confine, WhoUnpacksHasADirectoryAndNothingElse) {
    const auto confines = [&] {
        sys::Fd inside = sys::open_directory(base_ + "/inside");
        confine_to(inside);
    };
    const auto errors = try_all(confines,
                                {opens_here("/file", O_RDWR),
                                 opens_here("/new", O_WRONLY | O_CREAT),
                                 opens_here("../outside", O_RDONLY),
                                 opens("/outside", O_RDONLY),
                                 opens("/outside", O_WRONLY),
                                 raises_a_mode(),
                                 open_a_disk,
                                 type_into_terminal,
                                 limit_parent,
                                 run_something,
                                 signal_parent,
                                 signal_self,
                                 make_world,
                                 clone_world,
                                 make_socket});
    EXPECT_EQ(errors,
              (std::vector<int>{0,
                                0,
                                ENOENT,
                                ENOENT,
                                ENOENT,
                                ENOENT,
                                EACCES,
                                EPERM,
                                EPERM,
                                EPERM,
                                EPERM,
                                0,
                                EPERM,
                                EPERM,
                                EPERM}));
}

TEST_F(Confine, WhoOnlyAsksOwnsNoFilesOfOthers) {
    const auto gives_away = [name = base_ + "/images/file"] {
        return static_cast<long>(::chown(name.c_str(), 1000, 1000));
    };
    sys::replace_file(base_ + "/images/file", "x");
    const std::vector<Attempt> attempts{opens("/images/new", O_WRONLY | O_CREAT), gives_away};
    EXPECT_EQ(try_all([&] { confine(base_, base_, Files::own, {}); }, attempts),
              (std::vector<int>{0, EPERM}));
    EXPECT_EQ(try_all([&] { confine(base_, base_, Files::of_others, {}); }, attempts),
              (std::vector<int>{0, 0}));
}

TEST_F(Confine, ServesNobodyAndCutsNothingShort) {
    const long version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0U, LANDLOCK_CREATE_RULESET_VERSION);
    const auto cut = [](const std::string& name) {
        return [name] { return static_cast<long>(::truncate(name.c_str(), 0)); };
    };
    const auto serves = [] {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        const sys::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        return static_cast<long>(
            ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
    };
    sys::replace_file(base_ + "/images/file", "x");
    const auto errors = try_all([&] { confine(base_, base_, Files::of_others, {}); },
                                {cut(base_ + "/images/file"), cut(base_ + "/outside"), serves});
    // Before version 3, cutting a file short was not yet taken away.
    EXPECT_EQ(errors, (std::vector<int>{0, version >= 3 ? EACCES : 0, version >= 4 ? EACCES : 0}));
}

/// What belongs to the machine and to its people, and to no image.
TEST_F(Confine, WhoFetchesReadsTheStoreAndWhatItIsGiven) {
    if (!has_landlock())
        GTEST_SKIP() << "this kernel has no Landlock";
    sys::replace_file(base_ + "/images/file", "x");
    sys::ensure_directory(base_ + "/given/deep");
    sys::replace_file(base_ + "/given/deep/file", "x");
    sys::replace_file(base_ + "/given.tar", "x");
    const auto opens_host = [](const char* name) {
        return
            [name] { return static_cast<long>(::open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)); };
    };
    RegistrySettings settings;
    settings.ca["registry.example"] = base_ + "/ca.pem";
    sys::replace_file(base_ + "/ca.pem", "x");
    Strings readable{base_ + "/given", base_ + "/given.tar", base_ + "/nothing"};
    for (const auto& files : {files_of_libraries(), files_of_the_network(settings)})
        readable.insert(readable.end(), files.begin(), files.end());
    const auto errors = try_all([&] { confine(base_, base_, Files::of_others, readable); },
                                {opens("/images/file", O_RDONLY),
                                 opens("/given/deep/file", O_RDONLY),
                                 opens("/given.tar", O_RDONLY),
                                 opens("/ca.pem", O_RDONLY),
                                 opens_host("/dev/urandom"),
                                 opens_host("/etc/hosts"),
                                 opens_host("/usr/lib"),
                                 opens("/given.tar", O_WRONLY),
                                 opens("/given/deep/file", O_WRONLY),
                                 opens("/outside", O_RDONLY),
                                 opens("", O_RDONLY),
                                 opens_host("/etc/shadow"),
                                 opens_host("/etc/passwd"),
                                 opens_host("/root"),
                                 opens_host("/var/lib"),
                                 opens_host("/home"),
                                 opens_host("/etc"),
                                 opens_host("/proc/1/environ"),
                                 opens_host("/")});
    std::vector<int> expected(7, 0);
    expected.resize(errors.size(), EACCES);
    EXPECT_EQ(errors, expected);
}

/// As update-ca-certificates makes them: a link to a link to a file of whoever put it there.
TEST_F(Confine, WhoFetchesReadsTheCertificatesThatLinksLeadTo) {
    if (!has_landlock())
        GTEST_SKIP() << "this kernel has no Landlock";
    sys::ensure_directory(base_ + "/certificates");
    sys::ensure_directory(base_ + "/elsewhere");
    sys::replace_file(base_ + "/elsewhere/ca.pem", "x");
    sys::replace_file(base_ + "/elsewhere/key.pem", "x");
    const auto link = [&](const std::string& to, const std::string& name) {
        ASSERT_EQ(::symlink(to.c_str(), (base_ + "/certificates/" + name).c_str()), 0);
    };
    link("../elsewhere/ca.pem", "ca.pem");
    link("ca.pem", "0123abcd.0");
    link("../elsewhere", "all");
    link("nowhere", "nothing");
    Strings readable{base_ + "/certificates"};
    EXPECT_EQ(files_linked_from(readable), Strings{base_ + "/elsewhere/ca.pem"});
    readable.push_back(files_linked_from(readable).at(0));
    const auto errors = try_all([&] { confine(base_, base_, Files::of_others, readable); },
                                {opens("/certificates/ca.pem", O_RDONLY),
                                 opens("/certificates/0123abcd.0", O_RDONLY),
                                 opens("/elsewhere/key.pem", O_RDONLY)});
    EXPECT_EQ(errors, (std::vector<int>{0, 0, EACCES}));
}

TEST_F(Confine, AnImportReadsTheFileThatItsSourceNames) {
    sys::replace_file(base_ + "/a:b.tar", "x");
    EXPECT_EQ(source_path("tar:" + base_ + "/a:b.tar"), base_ + "/a:b.tar");
    EXPECT_EQ(source_path("rootfs:" + base_), base_);
    EXPECT_EQ(source_path("docker-archive:" + base_ + "/a:b.tar:shop:1"), base_ + "/a:b.tar");
    EXPECT_EQ(source_path("oci:" + base_ + ":shop"), base_);
}

TEST_F(Confine, WhoFetchesHasTheNetworkToo) {
    const auto errors = try_all([&] { confine(base_, base_, Files::of_others, {}); },
                                {opens("/images/new", O_WRONLY | O_CREAT),
                                 opens("/outside", O_RDONLY),
                                 opens("/outside", O_WRONLY),
                                 run_something,
                                 signal_parent,
                                 type_into_terminal,
                                 make_world,
                                 clone_world,
                                 make_socket});
    const int kept = has_landlock() ? EACCES : 0;
    EXPECT_EQ(errors, (std::vector<int>{0, kept, kept, EPERM, EPERM, EPERM, EPERM, EPERM, 0}));
}

}  // namespace
}  // namespace stack::fetch
