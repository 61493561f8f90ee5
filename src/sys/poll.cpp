#include "sys/poll.h"

#include "sys/file.h"

#include <fcntl.h>
#include <poll.h>

namespace stack::sys {

void wait_for_change(const std::string& file, std::chrono::milliseconds longest) {
    const Fd watched(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    pollfd entry{watched.get(), POLLPRI, 0};
    ::poll(&entry, 1, static_cast<int>(longest.count()));
}

void pause(std::chrono::milliseconds time) {
    ::poll(nullptr, 0, static_cast<int>(time.count()));
}

}  // namespace stack::sys
