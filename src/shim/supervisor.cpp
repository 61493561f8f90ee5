#include "shim/supervisor.h"

#include "shim/record.h"

#include <algorithm>
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

/// Milliseconds since boot.
long long moment() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

/// Starts of supervisors since one has lasted.
struct Tries {
    int count = 0;
    long long last = 0;
};

/// A few come one after the other, then each waits twice as long as the one before, up to a minute.
long long pause_after(int tries) {
    constexpr int at_once = 5;
    constexpr long long first_ms = 1000;
    constexpr long long longest_ms = 60'000;
    constexpr int most_doublings = 6;
    if (tries < at_once)
        return 0;
    return std::min(first_ms << std::min(tries - at_once, most_doublings), longest_ms);
}

Tries read_tries(int file) {
    std::array<char, 64> text{};
    Tries tries;
    if (::pread(file, text.data(), text.size() - 1, 0) > 0)
        std::sscanf(text.data(), "%d %lld", &tries.count, &tries.last);
    return tries;
}

/// Where it cannot be written there is no count, which does no harm that the disk does not.
void write_tries(int file, const Tries& tries) {
    const std::string text = std::to_string(tries.count) + " " + std::to_string(tries.last) + "\n";
    if (::ftruncate(file, 0) == 0)
        static_cast<void>(!::pwrite(file, text.data(), text.size(), 0));
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
    constexpr long long ms = 1000;
    if (pidfd_ >= 0)
        born_ = static_cast<long long>(recorded.started) * ms / ::sysconf(_SC_CLK_TCK);
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
    if (ended) {
        constexpr long long steady_ms = 1000;
        forget();
        lost_since_ = moment();
        was_steady_ = lost_since_ - born_ >= steady_ms;
    }
    if (pidfd_ >= 0)
        return;
    find();
    lost_ = pidfd_ < 0 && exists(spec_.supervisor_pid_file);
    if (lost_)
        start_another();
}

bool SupervisorWatch::is_due(int lock) const {
    Tries tries = read_tries(lock);
    const long long now = moment();
    if ((was_steady_ && tries.last <= lost_since_) || tries.last > now)
        tries = {};
    if (now < tries.last + pause_after(tries.count))
        return false;
    write_tries(lock, {tries.count + 1, now});
    return true;
}

void SupervisorWatch::start_another() {
    const int lock = ::open(
        (spec_.supervisor_pid_file + ".respawn").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    // Or another shim is at it.
    if (lock >= 0 && ::flock(lock, LOCK_EX | LOCK_NB) == 0 && is_due(lock))
        spawn();
    ::close(lock);
    lost_ = pidfd_ < 0;
}

void SupervisorWatch::spawn() {
    std::vector<char*> arguments;
    for (const auto& word : spec_.supervisor)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const std::string log =
        spec_.supervisor_pid_file.substr(0, spec_.supervisor_pid_file.rfind('/')) +
        "/supervisor.log";
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    const int log_file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_file >= 0)
        posix_spawn_file_actions_adddup2(&actions, log_file, 1);
    else  // a full disk must not keep it from being born
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
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
    ::close(log_file);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
}

}  // namespace stack::shim
