#include "shim/forward_loop.h"

#include "shim/fault.h"
#include "shim/forward.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// Two descriptors a connection.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

ForwardLoop::ForwardLoop()
    : epoll_(static_cast<int>(must(::epoll_create1(EPOLL_CLOEXEC), "wait for connections"))) {}

void ForwardLoop::control(int operation, int fd, std::uint32_t events, Forwarding& who) {
    const auto place = static_cast<std::size_t>(fd);
    if (watchers_.size() <= place)
        watchers_.resize(place + 1);
    watchers_[place] = &who;
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    must(::epoll_ctl(epoll_, operation, fd, &event), "wait for a connection");
}

void ForwardLoop::watch(int fd, std::uint32_t events, Forwarding& who) {
    control(EPOLL_CTL_ADD, fd, events, who);
}

void ForwardLoop::rewatch(int fd, std::uint32_t events, Forwarding& who) {
    control(EPOLL_CTL_MOD, fd, events, who);
}

void ForwardLoop::unwatch(int fd, Forwarding& who) {
    control(EPOLL_CTL_DEL, fd, 0, who);
}

void ForwardLoop::add(std::unique_ptr<Forwarding> one) {
    all_.push_back(std::move(one));
}

bool ForwardLoop::turn() {
    constexpr int second = 1000;
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), second);
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        watchers_[static_cast<std::size_t>(event.data.fd)]->ready(event.data.fd, event.events);
    }
    // Between two waits, so that no event of this one meets what is gone.
    std::erase_if(all_, [](const auto& one) { return one->is_over(); });
    return count > 0;
}

void ForwardLoop::run() {
    constexpr std::time_t patience = 30;  // seconds
    const auto now = [] {
        timespec time{};
        ::clock_gettime(CLOCK_MONOTONIC, &time);
        return time.tv_sec;
    };
    std::time_t last_busy = now();
    while (now() - last_busy < patience) {
        const bool woken = turn();
        if (woken ||
            std::any_of(all_.begin(), all_.end(), [](const auto& one) { return one->is_busy(); }))
            last_busy = now();
    }
}

void forward(const std::vector<Entrance>& entrances) {
    raise_descriptor_limit();
    ForwardLoop loop;
    for (const auto& entrance : entrances)
        loop.add(entrance.protocol == IPPROTO_TCP ? tcp_entrance(loop, entrance)
                                                  : udp_entrance(loop, entrance));
    loop.run();
    ::_exit(0);
}

}  // namespace stack::shim
