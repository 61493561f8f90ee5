#include "shim/supervisor.h"

#include "shim/record.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {
namespace {

struct Recorded {
    int pid = 0;
    unsigned long long started = 0;
};

/// "<pid> <start time>", as the supervisor writes it; it removes the file when it ends on purpose.
Recorded read_pid_file(const std::string& path) {
    std::array<char, 64> text{};
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto count = ::read(fd, text.data(), text.size() - 1);
    ::close(fd);
    Recorded recorded;
    if (count > 0)
        std::sscanf(text.data(), "%d %llu", &recorded.pid, &recorded.started);
    return recorded;
}

/// Ours, without what a test armed for the one that died.
std::vector<char*> environment() {
    std::vector<char*> list;
    for (char** entry = ::environ; *entry != nullptr; ++entry)
        if (std::strncmp(*entry, "STACK_FAILPOINT", std::strlen("STACK_FAILPOINT")) != 0)
            list.push_back(*entry);
    list.push_back(nullptr);
    return list;
}

/// Also of a process whose parent has not yet reaped it.
bool has_ended(int pidfd) {
    pollfd entry{pidfd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

SupervisorWatch::SupervisorWatch(const Spec& spec) : spec_(spec) {
    look(false);
}

SupervisorWatch::~SupervisorWatch() {
    ::close(pidfd_);
}

int SupervisorWatch::patience_ms() const {
    // One that ended on purpose has no file; a later command brings the next one.
    constexpr int until_it_is_back_ms = 250;
    constexpr int until_there_is_one_ms = 5000;
    if (pidfd_ >= 0 || spec_.supervisor_pid_file.empty())
        return -1;
    return lost_ ? until_it_is_back_ms : until_there_is_one_ms;
}

void SupervisorWatch::find() {
    if (spec_.supervisor_pid_file.empty())
        return;
    const Recorded recorded = read_pid_file(spec_.supervisor_pid_file);
    if (recorded.pid <= 0)
        return;
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, recorded.pid, 0U));
    if (pidfd_ >= 0 && (has_ended(pidfd_) || start_time(recorded.pid) != recorded.started))
        forget();
}

void SupervisorWatch::forget() {
    siginfo_t info{};
    ::waitid(static_cast<idtype_t>(P_PIDFD),
             static_cast<id_t>(pidfd_),
             &info,
             WEXITED | WNOHANG);  // it may be a child of ours
    ::close(pidfd_);
    pidfd_ = -1;
}

void SupervisorWatch::look(bool ended) {
    if (ended)
        forget();
    if (pidfd_ >= 0)
        return;
    find();
    lost_ = pidfd_ < 0 && exists(spec_.supervisor_pid_file);
    if (lost_)
        start_another();
}

void SupervisorWatch::start_another() {
    const int lock = ::open(
        (spec_.supervisor_pid_file + ".respawn").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || ::flock(lock, LOCK_EX | LOCK_NB) < 0) {
        ::close(lock);
        return;  // another shim is at it
    }
    std::vector<char*> arguments;
    for (const auto& word : spec_.supervisor)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int pid = 0;
    if (!spec_.supervisor.empty() &&
        posix_spawn(
            &pid, arguments[0], &actions, &attributes, arguments.data(), environment().data()) ==
            0) {
        // It lives on when it is the winner; a loser ends at once. Either way it is not ours to
        // wait for long.
        constexpr int tries = 40;
        constexpr unsigned int pause_us = 25'000;
        for (int i = 0; i < tries && pidfd_ < 0 && ::waitpid(pid, nullptr, WNOHANG) == 0; ++i) {
            timespec pause{0, static_cast<long>(pause_us) * 1000};
            ::nanosleep(&pause, nullptr);
            find();
        }
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(lock);
    lost_ = pidfd_ < 0;
}

}  // namespace stack::shim
