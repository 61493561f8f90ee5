// TCP connections, forwarded in both directions, each end of a direction closed when the other is.

#include "shim/forward_loop.h"
#include "shim/ports.h"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace stack::shim {
namespace {

constexpr std::size_t most_connections = 4096;

/// One end of a forwarded connection.
struct End {
    int fd = -1;
    std::string waiting;  // not taken by it yet
    bool ended = false;   // it sends no more
    std::uint32_t events = 0;
    bool watched = true;
};

class Connection : public Forwarding {
  public:
    /// `server` is being connected.
    Connection(ForwardLoop& loop, int client, int server) : loop_(loop) {
        client_.fd = client;
        server_.fd = server;
        server_.events = EPOLLOUT;
        loop_.watch(client_.fd, client_.events, *this);
        loop_.watch(server_.fd, server_.events, *this);
    }

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    ~Connection() override {
        ::close(client_.fd);
        ::close(server_.fd);
    }

    void ready(int fd, std::uint32_t events) override {
        if (broken_)
            return;
        if (!connected_ && !finish_connect())
            return;
        End& own = fd == client_.fd ? client_ : server_;
        End& other = fd == client_.fd ? server_ : client_;
        if (own.ended && (events & (EPOLLHUP | EPOLLERR)) != 0)
            leave(own, other);
        if ((events & EPOLLOUT) != 0)
            flush(own);
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
            copy(own, other);
        for (End* end : {&client_, &server_})
            adjust(*end, end == &client_ ? server_ : client_);
    }

    [[nodiscard]] bool is_over() override {
        return broken_ || (client_.ended && server_.ended && client_.waiting.empty() &&
                           server_.waiting.empty());
    }

    [[nodiscard]] bool is_busy() const override { return true; }

  private:
    bool finish_connect() {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(server_.fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0)
            abort();
        connected_ = error == 0;
        return connected_;
    }

    /// As the kernel does for a port where nobody listens: the client is told at once.
    void abort() {
        const linger at_once{1, 0};
        for (const End* end : {&client_, &server_})
            ::setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        broken_ = true;
    }

    /// Nothing more will come from this end, and it takes nothing any more. It would be reported
    /// for ever, whatever is waited for (epoll_ctl(2)).
    void leave(End& end, const End& other) {
        if (!other.ended)
            return abort();  // what the other still sends has no taker
        if (std::exchange(end.watched, false))
            loop_.unwatch(end.fd, *this);
    }

    void copy(End& from, End& to) {
        static std::array<char, 65536> buffer;
        if (from.ended || !to.waiting.empty())
            return;
        const auto count = ::recv(from.fd, buffer.data(), buffer.size(), 0);
        if (count > 0) {
            to.waiting.assign(buffer.data(), static_cast<std::size_t>(count));
            flush(to);
        } else if (count == 0) {
            from.ended = true;
            ::shutdown(to.fd, SHUT_WR);
        } else if (errno != EAGAIN && errno != EINTR) {
            abort();
        }
    }

    void flush(End& end) {
        if (end.waiting.empty())
            return;
        const auto count = ::send(end.fd, end.waiting.data(), end.waiting.size(), MSG_NOSIGNAL);
        if (count > 0)
            end.waiting.erase(0, static_cast<std::size_t>(count));
        else if (errno != EAGAIN && errno != EINTR)
            abort();
    }

    void adjust(End& end, const End& other) {
        const std::uint32_t wanted =
            (end.ended || !other.waiting.empty() ? 0U : static_cast<std::uint32_t>(EPOLLIN)) |
            (end.waiting.empty() ? 0U : static_cast<std::uint32_t>(EPOLLOUT));
        if (broken_ || !end.watched || wanted == end.events)
            return;
        end.events = wanted;
        loop_.rewatch(end.fd, wanted, *this);
    }

    ForwardLoop& loop_;
    End client_;
    End server_;
    bool connected_ = false;
    bool broken_ = false;
};

class TcpEntrance : public Forwarding {
  public:
    TcpEntrance(ForwardLoop& loop, const Entrance& entrance) : loop_(loop), entrance_(entrance) {
        loop_.watch(entrance.socket, EPOLLIN, *this);
    }

    void ready(int fd, std::uint32_t /*events*/) override {
        const int client = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client < 0)
            return;
        const int server = loop_.count() < most_connections ? connect_server() : -1;
        if (server < 0) {
            ::close(client);
            return;
        }
        const int one = 1;
        for (const int end : {client, server}) {
            ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            ::setsockopt(end, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);  // peers may vanish
        }
        loop_.add(std::make_unique<Connection>(loop_, client, server));
    }

    [[nodiscard]] bool is_over() override { return false; }

    [[nodiscard]] bool is_busy() const override { return false; }

  private:
    /// A socket on its way to the container; -1 where there is no way.
    [[nodiscard]] int connect_server() const {
        const Target target = current_target(entrance_);
        const int fd = ::socket(
            target.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
        const auto* name = reinterpret_cast<const sockaddr*>(&target.address);
        if (fd < 0 || ::connect(fd, name, target.size) == 0 || errno == EINPROGRESS)
            return fd;
        ::close(fd);
        return -1;
    }

    ForwardLoop& loop_;
    Entrance entrance_;
};

}  // namespace

std::unique_ptr<Forwarding> tcp_entrance(ForwardLoop& loop, const Entrance& entrance) {
    return std::make_unique<TcpEntrance>(loop, entrance);
}

}  // namespace stack::shim
