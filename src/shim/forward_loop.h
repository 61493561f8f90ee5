#pragma once

// What the process that forwards waits for, and what it does when that is there.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace stack::shim {

/// Something that is waited for.
class Forwarding {
  public:
    virtual ~Forwarding() = default;
    virtual void ready(int fd, std::uint32_t events) = 0;
    /// Called now and then. True where it is over, and is to be destroyed.
    [[nodiscard]] virtual bool is_over() = 0;
    /// Whether the process must stay for it.
    [[nodiscard]] virtual bool is_busy() const = 0;
};

class ForwardLoop {
  public:
    ForwardLoop();

    void watch(int fd, std::uint32_t events, Forwarding& who);
    void rewatch(int fd, std::uint32_t events, Forwarding& who);
    void unwatch(int fd, Forwarding& who);

    void add(std::unique_ptr<Forwarding> one);

    [[nodiscard]] std::size_t count() const { return all_.size(); }

    /// Until nothing has been busy for a while.
    void run();

  private:
    void control(int operation, int fd, std::uint32_t events, Forwarding& who);
    /// One wait; false where nothing came.
    bool turn();

    int epoll_;
    std::vector<std::unique_ptr<Forwarding>> all_;
    std::vector<Forwarding*> watchers_;  // by descriptor
};

struct Entrance;

[[nodiscard]] std::unique_ptr<Forwarding> tcp_entrance(ForwardLoop& loop, const Entrance& entrance);
[[nodiscard]] std::unique_ptr<Forwarding> udp_entrance(ForwardLoop& loop, const Entrance& entrance);

}  // namespace stack::shim
