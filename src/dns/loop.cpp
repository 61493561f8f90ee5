#include "dns/loop.h"

#include <array>
#include <cerrno>

#include <sys/epoll.h>

namespace stack::dns {

Loop::Loop() : epoll_(sys::check(::epoll_create1(EPOLL_CLOEXEC), "make an epoll")) {}

std::uint64_t Loop::watch(const sys::Fd& fd, std::uint32_t events, Callback callback) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = ++last_;
    sys::check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event), "watch a descriptor");
    callbacks_.emplace(last_, std::make_shared<Callback>(std::move(callback)));
    return last_;
}

void Loop::change(std::uint64_t watch, const sys::Fd& fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = watch;
    sys::check(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd.get(), &event), "watch a descriptor");
}

void Loop::unwatch(std::uint64_t watch, const sys::Fd& fd) {
    if (callbacks_.erase(watch) != 0)
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd.get(), nullptr);
}

void Loop::run_once(bool tick) {
    constexpr int milliseconds = 250;
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(
        epoll_.get(), events.data(), static_cast<int>(events.size()), tick ? milliseconds : -1);
    if (count < 0 && errno != EINTR)
        sys::fail("wait for events");
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        // An earlier callback of this round may have ended the watch; a later number is never its.
        const auto found = callbacks_.find(event.data.u64);
        if (found == callbacks_.end())
            continue;
        const auto callback = found->second;
        (*callback)(event.events);
    }
}

}  // namespace stack::dns
