#include "shim/attach.h"

#include "shim/fault.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace stack::shim {
namespace {

constexpr std::size_t most_clients = 64;

/// Reached through a descriptor of its directory: sockaddr_un holds 108 bytes, however long the
/// path is.
int listen_in(const std::string& directory) {
    const std::string path = directory + "/attach.sock";
    const int place = static_cast<int>(
        must(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open " + directory));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "/proc/self/fd/" + std::to_string(place) + "/attach.sock";
    std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
    const int fd = static_cast<int>(
        must(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "make a socket"));
    ::unlinkat(place, "attach.sock", 0);
    const mode_t before = ::umask(0177);  // it is born as nobody else's
    must(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address),
         "make the socket " + path);
    ::umask(before);
    constexpr int backlog = 16;
    must(::listen(fd, backlog), "listen at " + path);
    ::close(place);
    return fd;
}

}  // namespace

Attached::Attached(const std::string& directory, bool owned)
    : owned_(owned), listener_(listen_in(directory)) {}

Attached::~Attached() {
    for (auto& client : clients_)
        drop(client);
    ::close(listener_);
}

void Attached::reach(const AttachTarget& target) {
    target_ = target;
    input_.open(target.input);
}

bool Attached::await_owner() {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    const auto is_there = [this] {
        return std::any_of(
            clients_.begin(), clients_.end(), [](const Client& client) { return client.greeted; });
    };
    while (!is_there()) {
        std::vector<pollfd> entries{{target_.process, POLLIN, 0}};
        watch(entries);
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        const int ready =
            left <= 0 ? 0 : ::poll(entries.data(), entries.size(), static_cast<int>(left));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0 || entries[0].revents != 0)
            return false;
        serve(entries);
    }
    return true;
}

void Attached::give(FrameKind kind, std::string_view bytes) {
    constexpr std::size_t furthest_behind = 1U << 20U;
    for (auto& client : clients_) {
        if (!client.greeted)
            continue;
        append_frames(client.waiting, kind, bytes);
        flush(client);
        if (!client.owner && client.waiting.size() > furthest_behind)
            drop(client);
    }
}

bool Attached::holds_output() const {
    return std::any_of(clients_.begin(), clients_.end(), [](const Client& client) {
        return client.owner && !client.waiting.empty();
    });
}

void Attached::watch(std::vector<pollfd>& entries) {
    std::erase_if(clients_, [](const Client& client) { return client.fd < 0; });
    first_ = entries.size();
    entries.push_back({clients_.size() < most_clients ? listener_ : -1, POLLIN, 0});
    entries.push_back({input_.waits_on(), POLLOUT, 0});
    for (const auto& client : clients_) {
        const int events = (input_.is_full() ? 0 : POLLIN) | (client.waiting.empty() ? 0 : POLLOUT);
        entries.push_back({client.fd, static_cast<short>(events), 0});
    }
}

void Attached::serve(const std::vector<pollfd>& entries) {
    const std::size_t known = entries.size() - first_ - 2;
    if (entries[first_].revents != 0)
        accept_clients();  // first, so that it sees what the others' input brings about
    if (entries[first_ + 1].revents != 0)
        input_.flush();
    for (std::size_t i = 0; i < known; ++i) {
        const auto events = entries[first_ + 2 + i].revents;
        if ((events & POLLOUT) != 0)
            flush(clients_[i]);
        if ((events & (POLLIN | POLLHUP | POLLERR)) != 0)
            read_from(clients_[i]);
    }
}

void Attached::accept_clients() {
    while (clients_.size() < most_clients) {
        Client client;
        client.fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client.fd < 0)
            return;
        clients_.push_back(std::move(client));
        read_from(clients_.back());
    }
}

void Attached::read_from(Client& client) {
    std::array<char, 4096> buffer{};
    const auto count = client.fd < 0 ? 0 : ::recv(client.fd, buffer.data(), buffer.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count > 0)
        client.reader.add({buffer.data(), static_cast<std::size_t>(count)});
    while (const auto frame = client.reader.next())
        obey(client, *frame);
    if (count > 0 && !client.reader.is_broken())
        return;
    end_input(client);
    drop(client);
}

void Attached::obey(Client& client, const Frame& frame) {
    switch (frame.kind) {
        case FrameKind::input:
            input_.add(frame.payload);
            break;
        case FrameKind::end:
            end_input(client);
            break;
        case FrameKind::size:
            client.owner = client.owner || (owned_ && !client.greeted);
            owned_ = owned_ && !client.owner;
            client.greeted = true;
            if (const auto size = decode_size(frame.payload);
                size && size->rows > 0 && target_.terminal >= 0) {
                const winsize window{size->rows, size->columns, 0, 0};
                ::ioctl(target_.terminal, TIOCSWINSZ, &window);
            }
            break;
        case FrameKind::signal:
            if (frame.payload.size() == 1)
                ::syscall(SYS_pidfd_send_signal,
                          target_.process,
                          static_cast<int>(frame.payload[0]),
                          nullptr,
                          0U);
            break;
        case FrameKind::output:
        case FrameKind::error:
        case FrameKind::exit:
            break;
    }
}

/// A service's input stays open for the next client, and a terminal's end is typed.
void Attached::end_input(const Client& client) {
    if (client.owner && target_.terminal < 0)
        input_.end();
}

void Attached::flush(Client& client) {
    while (client.fd >= 0 && !client.waiting.empty()) {
        const auto count =
            ::send(client.fd, client.waiting.data(), client.waiting.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0)
            client.waiting.clear();  // it is gone: its end is read next
        else
            client.waiting.erase(0, static_cast<std::size_t>(count));
    }
    if (client.waiting.empty())
        client.waiting.shrink_to_fit();
}

void Attached::drop(Client& client) {
    ::close(client.fd);
    client.fd = -1;
    client.waiting.clear();
    client.greeted = false;
    client.owner = false;
}

void Attached::finish(int status) {
    const char code = static_cast<char>(status);
    for (auto& client : clients_) {
        if (!client.greeted)
            continue;
        append_frame(client.waiting, FrameKind::exit, {&code, 1});
        constexpr int in_flight = 256 << 10;  // what fills the kernel's buffer already
        const int room = static_cast<int>(client.waiting.size() * 2) + in_flight;
        ::setsockopt(client.fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
        flush(client);
    }
}

}  // namespace stack::shim
