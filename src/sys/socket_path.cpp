#include "sys/socket_path.h"

#include "sys/file.h"

#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace stack::sys {

SocketPath::SocketPath(const std::string& directory, const std::string& name)
    : path_(directory + "/" + name), name_(name) {
    if (is_directory(directory))
        directory_ = open_directory(directory);
}

bool SocketPath::is_there() const {
    return directory_ && exists(path_);
}

std::string SocketPath::text() const {
    return "/proc/self/fd/" + std::to_string(directory_.get()) + "/" + name_;
}

Fd connect_to(const SocketPath& path) {
    if (!path.is_there())
        return {};
    Fd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.text();
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        if (errno == ECONNREFUSED || errno == ENOENT)
            return {};
        fail("connect to " + path.file());
    }
    check(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), "make a socket non-blocking");
    return socket;
}

}  // namespace stack::sys
