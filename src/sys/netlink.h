#pragma once

// Netlink: one socket of one protocol, in the network namespace that the process was in when it was
// opened; messages built and taken apart with libnl. Above it, the few things that bridge networks
// need of rtnetlink(7).

#include "base/ip.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nl_msg;
struct nl_sock;
struct nlattr;
struct nlmsghdr;

namespace stack::sys {

/// A message under construction.
class NetlinkMessage {
  public:
    /// `header` is the protocol's own fixed header (ifinfomsg, rtmsg …).
    NetlinkMessage(int type, int flags, std::string_view header);

    /// A further fixed header, as some nests begin with (VETH_INFO_PEER).
    void put_header(std::string_view header);
    void put(int type, std::string_view bytes);
    void put_text(int type, const std::string& text);  // with its terminating zero
    void put_u8(int type, std::uint8_t value);
    void put_u32(int type, std::uint32_t value);
    void put_be32(int type, std::uint32_t value);
    void put_be16(int type, std::uint16_t value);
    /// Attributes that `fill` puts lie inside one of `type`.
    void nest(int type, const std::function<void()>& fill);

    [[nodiscard]] nl_msg* get() const { return message_.get(); }

  private:
    std::unique_ptr<nl_msg, void (*)(nl_msg*)> message_;
};

/// The bytes of a plain structure, as netlink headers travel.
template <class T>
[[nodiscard]] std::string_view raw_bytes(const T& header) {
    return {reinterpret_cast<const char*>(&header), sizeof header};
}

class NetlinkSocket {
  public:
    /// `protocol`: NETLINK_ROUTE, NETLINK_NETFILTER.
    explicit NetlinkSocket(int protocol);

    using Each = std::function<void(nlmsghdr*)>;

    /// Sends, calls `each` for every message of the answer, and waits for the acknowledgement; 0,
    /// or the errno that the kernel answered. Its own words about it (extended acknowledgement) are
    /// in last_message().
    [[nodiscard]] int execute(NetlinkMessage& message, const Each& each = nullptr);
    /// Sends all as one piece, the first and the last of which are the marks of a transaction
    /// (linux/netfilter/nfnetlink.h), with at least one in between; 0, or the first errno answered.
    [[nodiscard]] int execute_batch(const std::vector<NetlinkMessage>& messages);
    /// As execute(), but throws "<what>: <reason>".
    void execute_or_throw(NetlinkMessage& message,
                          const std::string& what,
                          const Each& each = nullptr);
    /// As execute_or_throw(), for everything that the request's type lists.
    void dump(NetlinkMessage& message, const std::string& what, const Each& each);

    [[nodiscard]] const std::string& last_message() const { return last_message_; }

    /// Whether what was listed since the last call changed while it was (NLM_F_DUMP_INTR): some of
    /// it may be missing.
    [[nodiscard]] bool was_interrupted() { return std::exchange(was_interrupted_, false); }

  private:
    [[nodiscard]] std::optional<int> receive(const Each& each);
    void make_room(std::size_t bytes, std::size_t answers);
    void drain();

    std::unique_ptr<nl_sock, void (*)(nl_sock*)> socket_;
    std::string last_message_;
    bool was_interrupted_ = false;
};

struct Link {
    std::uint32_t index = 0;
    std::string name;
    std::string kind;   // bridge, veth …; empty for hardware
    std::string alias;  // IFLA_IFALIAS
    std::uint32_t group = 0;
    std::uint32_t bridge = 0;  // index of the link that it is a port of; 0: none
    std::uint32_t mtu = 0;
    bool up = false;
};

struct Route {
    IpPrefix destination;
    std::uint32_t link = 0;  // index; 0 where the route has none or several
};

struct Bridge {
    std::string name;
    std::string alias;
    std::uint32_t group = 0;
    std::uint32_t mtu = 1500;
    std::string mac;  // 02:42:0a:d2:03:01
};

/// The links, addresses and routes of one network namespace.
class RouteSocket {
  public:
    RouteSocket();

    [[nodiscard]] std::vector<Link> links();
    [[nodiscard]] std::optional<Link> find_link(const std::string& name);
    /// Every unicast route of every table.
    [[nodiscard]] std::vector<Route> routes();

    /// Makes a bridge that is up; throws where the name is taken.
    void make_bridge(const Bridge& bridge);
    /// Postcondition: the link has the address.
    void ensure_address(std::uint32_t link, const IpPrefix& address);
    void set_up(std::uint32_t link);
    void set_alias(std::uint32_t link, const std::string& alias);
    /// Makes the link a port of a bridge.
    void set_bridge(std::uint32_t link, std::uint32_t bridge);

    /// Postcondition: no such link.
    void remove_link(std::uint32_t index);
    /// Postcondition: no link in the group: one message, at the price of one removal however many
    /// they are (each waits for the RCU grace periods of its own otherwise).
    void remove_group(std::uint32_t group);

  private:
    NetlinkSocket socket_;
};

/// The six bytes of `02:42:0a:d2:03:02`; nullopt for anything else.
[[nodiscard]] std::optional<std::string> parse_mac(std::string_view text);

}  // namespace stack::sys
