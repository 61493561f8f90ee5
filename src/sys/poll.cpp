#include "sys/poll.h"

#include "sys/fd.h"

#include <ctime>

#include <fcntl.h>
#include <poll.h>

namespace stack::sys {

void wait_for_change(const std::string& file, std::chrono::milliseconds longest) {
    const Fd watched(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    pollfd entry{watched.get(), POLLPRI, 0};
    ::poll(&entry, 1, static_cast<int>(longest.count()));
}

void wait_ready(std::vector<Wait>& waits) {
    std::vector<pollfd> entries;
    for (const auto& wait : waits) {
        const int events = (wait.readable ? POLLIN : 0) | (wait.writable ? POLLOUT : 0);
        entries.push_back({events == 0 ? -1 : wait.fd, static_cast<short>(events), 0});
    }
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR)
        fail("wait for input");
    for (std::size_t i = 0; i < waits.size(); ++i) {
        const auto events = entries[i].revents;
        waits[i].readable = waits[i].readable && (events & (POLLIN | POLLHUP | POLLERR)) != 0;
        waits[i].writable = (events & POLLOUT) != 0;
    }
}

void pause(std::chrono::microseconds time) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const std::chrono::nanoseconds rest = time - seconds;
    const timespec length{seconds.count(), rest.count()};
    ::nanosleep(&length, nullptr);
}

}  // namespace stack::sys
