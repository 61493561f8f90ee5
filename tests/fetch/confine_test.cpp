// What a worker can still do that hostile bytes have taken over: tried in a child, which says by
// its status what it could.

#include "fetch/confine.h"

#include "base/random.h"
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
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

    static long make_world() { return ::unshare(CLONE_NEWUSER | CLONE_NEWNS); }

    static long make_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

    std::string base_;
};

TEST_F(Confine, WhoUnpacksHasADirectoryAndNothingElse) {
    const auto errors = try_all([&] { confine_to(sys::open_directory(base_ + "/inside")); },
                                {opens("/inside/file", O_RDWR),
                                 opens("/inside/new", O_WRONLY | O_CREAT),
                                 opens("/outside", O_RDONLY),
                                 opens("/outside", O_WRONLY),
                                 opens("/new", O_WRONLY | O_CREAT),
                                 run_something,
                                 signal_parent,
                                 signal_self,
                                 make_world,
                                 make_socket});
    const int kept = has_landlock() ? EACCES : 0;
    EXPECT_EQ(errors, (std::vector<int>{0, 0, kept, kept, kept, EPERM, EPERM, 0, EPERM, EPERM}));
}

TEST_F(Confine, WhoFetchesReadsAndHasTheNetworkToo) {
    const auto errors = try_all([&] { confine(base_, base_); },
                                {opens("/images/new", O_WRONLY | O_CREAT),
                                 opens("/outside", O_RDONLY),
                                 opens("/outside", O_WRONLY),
                                 run_something,
                                 signal_parent,
                                 make_world,
                                 make_socket});
    const int kept = has_landlock() ? EACCES : 0;
    EXPECT_EQ(errors, (std::vector<int>{0, 0, kept, EPERM, EPERM, EPERM, 0}));
}

}  // namespace
}  // namespace stack::fetch
