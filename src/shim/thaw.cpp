// `stack-shim thaw`: who froze a container may die before it thaws it; this one does so then.

#include "shim/commands.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <unistd.h>

namespace stack::shim {

int thaw_container(int freezer_fd, int words_fd) {
    // Whoever ends a session or a unit ends both, and this one has something left to do.
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM})
        std::signal(signal, SIG_IGN);
    std::array<char, 16> words{};
    std::size_t size = 0;
    ssize_t count = 0;
    while (size < words.size() &&
           ((count = ::read(words_fd, &words[size], words.size() - size)) > 0 ||
            (count < 0 && errno == EINTR)))
        size += count > 0 ? static_cast<std::size_t>(count) : 0;
    return ::write(freezer_fd, words.data(), size) < 0 && errno != ENODEV ? 1 : 0;
}

}  // namespace stack::shim
