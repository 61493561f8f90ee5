#include "sys/signals.h"

#include <csignal>
#include <vector>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace stack::sys {

SignalWatch::SignalWatch(std::initializer_list<int> signals) {
    sigemptyset(&watched_);
    for (const int signal : signals)
        sigaddset(&watched_, signal);
    check(::pthread_sigmask(SIG_BLOCK, &watched_, &before_), "block signals");
    fd_ = Fd(check(::signalfd(-1, &watched_, SFD_CLOEXEC | SFD_NONBLOCK), "watch signals"));
}

SignalWatch::~SignalWatch() {
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalWatch::next() const {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info))
        return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

void wait_readable(std::initializer_list<int> descriptors, int milliseconds) {
    std::vector<pollfd> entries;
    for (const int fd : descriptors)
        entries.push_back({fd, POLLIN, 0});
    if (::poll(entries.data(), entries.size(), milliseconds) < 0 && errno != EINTR)
        fail("wait for input");
}

bool is_readable(const Fd& fd) {
    pollfd entry{fd.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
}

}  // namespace stack::sys
