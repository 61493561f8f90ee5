#pragma once

// The name service of a project: questions that arrive at the gateways of its networks, answered
// out of a table. The socket that a question arrives at decides which names it sees.

#include "dns/forwarder.h"
#include "dns/loop.h"
#include "dns/table.h"
#include "sys/fd.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>

#include <sys/socket.h>

namespace stack::dns {

/// The file in a service's directory that it holds locked.
inline constexpr const char* lock_name = "lock";

class Service {
  public:
    /// `directory` holds the file `names`, and stays to be watched. Listens where the table says
    /// when this returns, except where a port is taken: that is tried again until it works, and
    /// said on standard error where it is the one that the rules lead to.
    explicit Service(const std::string& directory);

    /// Serves until the directory is removed.
    void run();

  private:
    /// An address of a gateway, and a port of it.
    using Place = std::pair<IpAddress, std::uint16_t>;

    struct Listener {
        sys::Fd udp;
        sys::Fd tcp;
        std::uint64_t udp_watch = 0;
        std::uint64_t tcp_watch = 0;
        bool complained = false;
    };

    struct Connection {
        sys::Fd socket;
        std::uint64_t watch = 0;
        IpAddress gateway;
        IpAddress asker;
        std::string incoming;
        std::string outgoing;
        Instant last_used;
    };

    using ConnectionNumber = std::uint64_t;
    using Reply = std::function<void(std::string)>;

    void watch_directory();
    void on_directory_change();
    void load_table();
    void read_host_resolver();

    void open_missing();
    void open(const Place& place, Listener& listener);
    void close(Listener& listener);
    [[nodiscard]] bool has_missing() const;

    void on_datagrams(const Place& place);
    void on_connections(const Place& place);
    void on_stream(ConnectionNumber number);
    void send_on(ConnectionNumber number, const std::string& message);
    void close_connection(ConnectionNumber number);
    void close_oldest_connection();
    void expire();

    void answer(const IpAddress& gateway,
                const IpAddress& asker,
                std::string packet,
                Transport transport,
                const Reply& reply);

    std::string directory_;
    Loop loop_;
    Forwarder forwarder_{loop_};
    sys::Fd inotify_;
    bool directory_is_gone_ = false;
    Table table_;
    HostResolver host_;
    Instant host_read_at_;
    std::map<Place, Listener> listeners_;
    ConnectionNumber last_connection_ = 0;
    std::map<ConnectionNumber, Connection> connections_;
    std::minstd_rand random_;
};

}  // namespace stack::dns
