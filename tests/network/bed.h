#pragma once

// Network namespaces for tests: one that plays the machine, others that play containers and
// neighbours. Nothing of it touches the namespace that the test was started in.

#include "base/ip.h"
#include "engine/network/networks.h"
#include "sys/fd.h"

#include <cstdint>
#include <string>
#include <vector>

#include <sys/socket.h>

namespace stack::test {

/// A network namespace that lives as long as this.
class Namespace {
  public:
    /// A new one, with its loopback link up. The calling thread stays where it is.
    Namespace();

    [[nodiscard]] const sys::Fd& fd() const { return fd_; }

  private:
    sys::Fd fd_;
};

/// The calling thread is in the namespace while this lives.
class Inside {
  public:
    explicit Inside(const Namespace& where);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    sys::Fd back_;
};

/// A root directory of its own, removed at the end.
class TemporaryRoot {
  public:
    TemporaryRoot();
    ~TemporaryRoot();
    TemporaryRoot(const TemporaryRoot&) = delete;
    TemporaryRoot& operator=(const TemporaryRoot&) = delete;

    [[nodiscard]] Paths paths() const;

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// Does what the shim does with an endpoint: the veth, its end in `container`, addresses and
/// default routes. The calling thread is in the machine's namespace.
void plug(const network::Endpoint& endpoint, const Namespace& container);

/// A cable between the machine (where the calling thread is) and a neighbour.
void connect_neighbour(const Namespace& neighbour,
                       const std::string& machine_address,
                       const std::string& neighbour_address);

/// What nft(8) does and prints, in the calling thread's namespace. Throws where it refuses.
std::string nft(std::vector<std::string> words);

/// In the calling thread's namespace.
void add_address(const std::string& link, const std::string& prefix);
void add_route(const std::string& prefix, const std::string& gateway);
void set_link_up(const std::string& link);

/// A socket that answers with its name: to whoever connects (tcp), or to a datagram (udp).
class Responder {
  public:
    Responder(const Namespace& where,
              Protocol protocol,
              const std::string& address,
              std::uint16_t port,
              std::string name);

    /// Answers one question; false where none comes within a moment.
    bool serve();

  private:
    Protocol protocol_;
    std::string name_;
    sys::Fd socket_;
};

/// A UDP socket of a namespace, which keeps its port.
class UdpSocket {
  public:
    /// `address`: 0.0.0.0, or one of the namespace's.
    UdpSocket(const Namespace& where, const std::string& address, std::uint16_t port);

    void send(const std::string& address, std::uint16_t port, const std::string& text);
    /// To whoever sent what was received last.
    void reply(const std::string& text);
    /// What is to come; "" where nothing does.
    std::string receive();
    /// What comes within a moment, where nothing is to.
    std::string overhear();

  private:
    std::string take();

    sys::Fd socket_;
    sockaddr_storage peer_{};
    socklen_t peer_length_ = 0;
};

/// What answers at an address, asked from a namespace; "" where nothing does within a moment.
std::string ask(const Namespace& from,
                Protocol protocol,
                const std::string& address,
                std::uint16_t port,
                Responder& expected);

}  // namespace stack::test
