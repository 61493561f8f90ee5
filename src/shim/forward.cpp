#include "shim/forward.h"

#include "shim/fault.h"

#include <algorithm>
#include <csignal>
#include <ctime>

#include <linux/capability.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// Everything but the entrances: a client of the container's port must not keep its streams open.
void close_others(const std::vector<Entrance>& entrances) {
    std::vector<unsigned int> kept;
    for (const auto& entrance : entrances)
        kept.push_back(static_cast<unsigned int>(entrance.socket));
    std::sort(kept.begin(), kept.end());
    unsigned int first = STDERR_FILENO + 1;
    for (const unsigned int fd : kept) {
        if (fd > first)
            ::syscall(SYS_close_range, first, fd - 1, 0);
        first = fd + 1;
    }
    ::syscall(SYS_close_range, first, ~0U, 0);
}

/// It moves bytes of strangers and needs no right for that.
void drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
    must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges");
    must(::syscall(SYS_capset, &header, none), "drop capabilities");
}

}  // namespace

Forwarder::Forwarder(std::vector<Entrance> entrances) : entrances_(std::move(entrances)) {
    if (entrances_.empty())
        return;
    arrivals_ = static_cast<int>(must(::epoll_create1(EPOLL_CLOEXEC), "watch published ports"));
    for (const auto& entrance : entrances_) {
        epoll_event event{};
        event.events = EPOLLIN;
        must(::epoll_ctl(arrivals_, EPOLL_CTL_ADD, entrance.socket, &event),
             "watch a published port");
    }
}

pollfd Forwarder::watched() const {
    return {worker_ >= 0 ? worker_ : arrivals_, POLLIN, 0};
}

void Forwarder::serve() {
    if (worker_ < 0) {
        start_worker();
        return;
    }
    end();
}

void Forwarder::end() {
    if (worker_ < 0)
        return;
    siginfo_t info{};
    ::syscall(SYS_pidfd_send_signal, worker_, SIGKILL, nullptr, 0);
    ::waitid(P_PIDFD, static_cast<id_t>(worker_), &info, WEXITED);
    ::close(worker_);
    worker_ = -1;
}

void Forwarder::start_worker() {
    const int shim = ::getpid();
    const int pid = ::fork();
    if (pid == 0) {
        tell_faults_to(-1);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (::getppid() != shim)
            ::_exit(0);
        close_others(entrances_);
        drop_capabilities();
        forward(entrances_);
    }
    if (pid > 0)
        worker_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (worker_ >= 0)
        return;
    // Out of processes or descriptors. Whoever waits at the entrance is still there next time.
    if (pid > 0) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    const timespec a_while{0, 100'000'000};
    ::nanosleep(&a_while, nullptr);
}

}  // namespace stack::shim
