#include "sys/socket_path.h"

#include "sys/file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace stack::sys {
namespace {

sockaddr_un address_of(const SocketPath& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.text();
    if (text.size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        fail("use the socket " + path.file());
    }
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    return address;
}

}  // namespace

SocketPath::SocketPath(const std::string& directory, const std::string& name)
    : path_(directory + "/" + name),
      name_(name),
      directory_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!directory_ && errno != ENOENT && errno != ENOTDIR)
        fail("open directory " + directory);
}

bool SocketPath::is_there() const {
    return directory_ && exists(path_);
}

std::string SocketPath::text() const {
    return "/proc/self/fd/" + std::to_string(directory_.get()) + "/" + name_;
}

bool is_socket(const std::string& path) {
    struct stat status {};

    return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

Fd listen_at(const SocketPath& path) {
    constexpr int waiting = 16;
    Fd socket(
        check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "make a socket"));
    const sockaddr_un address = address_of(path);
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "make the socket " + path.file());
    check(::listen(socket.get(), waiting), "listen at " + path.file());
    return socket;
}

Fd connect_to(const SocketPath& path) {
    if (!path.is_there())
        return {};
    Fd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket"));
    const sockaddr_un address = address_of(path);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        if (errno == ECONNREFUSED || errno == ENOENT)
            return {};
        fail("connect to " + path.file());
    }
    check(::fcntl(socket.get(), F_SETFL, O_NONBLOCK), "make a socket non-blocking");
    return socket;
}

}  // namespace stack::sys
