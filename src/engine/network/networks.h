#pragma once

// The bridge networks of an instance: each container gets an address, a name and a way out.
//
//   <state>/networks, <run>/networks/ports   who has what (record.h)
//   bridges `stk<8 hex>`, their veths `stv<…>` with the network's IFLA_GROUP and the container in
//   IFLA_IFALIAS
//   nftables tables `inet stack[_<instance>]` and, against neighbours who pass themselves off as
//   others, `bridge stack[_<instance>]`, of constant size: sets and maps are all that changes
//
// Who decides what a container's interface is: this. Who makes it, in the container's own
// namespace: the shim.

#include <stack/model.h>
#include <stack/paths.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::network {

struct NetworkRecord {
    std::string name;
    std::string project;  // empty: not made by a stack
    std::string key;
    std::string config_digest;
    std::string bridge;
    std::uint32_t group = 0;  // IFLA_GROUP of its veths
    std::string driver;       // macvlan, ipvlan; empty: bridge
    std::string parent;       // of those two: the interface of the host that they lie on
    std::uint32_t mode = 0;   // of those two: as linux/if_link.h counts them
    std::string subnet4;      // 10.210.3.0/24
    std::string gateway4;
    std::string subnet6;
    std::string gateway6;
    int mtu = 1500;  // 0: the parent's
    bool internal = false;
    bool attachable = false;
    std::int64_t created = 0;  // seconds since 1970
    StringMap options;         // of the driver
    StringMap labels;

    /// What the interfaces of its containers hang on.
    [[nodiscard]] const std::string& link() const { return driver.empty() ? bridge : parent; }

    bool operator==(const NetworkRecord&) const = default;
};

/// One interface of a container, for the shim to make with one netlink message and a few addresses.
struct Endpoint {
    std::string network;
    std::string bridge;
    std::uint32_t bridge_index = 0;  // or that of the driver's parent
    std::string driver;              // of the network
    std::uint32_t mode = 0;          // of the driver
    std::uint32_t group = 0;
    std::string host_name;  // of the veth's end on the bridge; with a driver a second name, inside
    std::string name;       // inside: eth0
    std::string alias;      // IFLA_IFALIAS: who it belongs to
    std::string mac;
    std::string address4;  // 10.210.3.2/24
    std::string address6;
    Strings link_local;    // further addresses: 169.254.8.8/16
    std::string gateway4;  // empty: no default route through this network
    std::string gateway6;
    std::string resolver;  // where the network's name service answers
    bool internal = false;
    int mtu = 1500;

    bool operator==(const Endpoint&) const = default;
};

/// A port of the host that leads to a container.
struct PublishedPort {
    std::string host_ip;  // empty: every address
    std::uint16_t port = 0;
    std::uint16_t target = 0;
    Protocol protocol = Protocol::tcp;

    bool operator==(const PublishedPort&) const = default;
};

/// What a container is called in a sentence: "container web".
using TitleOf = std::function<std::string(const std::string& id)>;
/// Where nobody knows its name.
[[nodiscard]] std::string short_title(const std::string& container);

/// The elements of every set and map of the tables (elements.h), by its name, nearly as nft(8)
/// prints them ("tcp . 8080 : 10.1.2.3 . 80").
using Elements = std::map<std::string, std::set<std::string>>;

class Kernel;
struct Publication;
struct StoredNetwork;

/// The addresses of a container in one network.
struct HeldAddress {
    std::string network;
    std::string ipv4;
    std::string ipv6;
    bool published = false;  // its published ports lead here

    bool operator==(const HeldAddress&) const = default;
};

/// Works in the network namespace that the process is in at the first change. Every change holds
/// the lock <state>/networks/lock: the supervisors of several projects share pools and table.
class Networks {
  public:
    explicit Networks(const Paths& paths);
    ~Networks();
    Networks(const Networks&) = delete;
    Networks& operator=(const Networks&) = delete;

    [[nodiscard]] std::vector<NetworkRecord> list() const;
    [[nodiscard]] std::optional<NetworkRecord> find(const std::string& name) const;

    /// Postcondition: record, bridge, addresses, sysctls and rules of the network are there. A
    /// network of the same name and another configuration is replaced where nobody holds a lease in
    /// it. Throws otherwise, and where the network asks for what cannot be (layout.h).
    NetworkRecord ensure(const std::string& project,
                         const Network& network,
                         const std::string& config_digest);
    /// ensure() of a network that is not there yet; throws where one has the name, also where two
    /// make it at once.
    NetworkRecord create(const Network& network, const std::string& config_digest);
    /// Postcondition: nothing of the network is left, nor a tracked flow of its subnets. Its veths
    /// go in one message by group. Throws while containers hold leases in it, naming them. The host
    /// goes on forwarding: others may have come to rely on it.
    void remove(const std::string& name);

    /// The interface of `container` (its id, and `holder` for messages: its name) in a network, as
    /// its `index`-th (eth<index>). The lease is kept until release(); a container that has one
    /// gets the same again, and `key` (project, service, number) is preferred the address it had
    /// before. `avoided`: addresses that are not for it. `ports`: lead here afterwards, as
    /// publish() has it, where the network has a bridge; by the same nft transaction.
    Endpoint attach(const std::string& name,
                    const std::string& container,
                    const std::string& key,
                    const NetworkAttachment& wanted,
                    int index,
                    const Strings& avoided = {},
                    const std::vector<PublishedPort>& ports = {},
                    const TitleOf& title_of = short_title);
    /// Postcondition: the container has neither an interface nor a lease in the network, and its
    /// addresses there no tracked flow.
    void detach(const std::string& network, const std::string& container);
    /// attach() to a network of no project that is there while somebody is in it: the first who
    /// joins makes it, and leave() of the last removes it.
    Endpoint join(const Network& network, const std::string& container);
    void leave(const std::string& network, const std::string& container);

    /// The addresses that a container holds, without prefix lengths, by network.
    [[nodiscard]] std::vector<HeldAddress> held_addresses(const std::string& container) const;
    /// Those of every container that holds one, at the price of reading each file once.
    [[nodiscard]] std::map<std::string, std::vector<HeldAddress>> held_addresses() const;
    /// Postcondition: the container has no lease and no published port.
    void release(const std::string& container);

    /// Postcondition: exactly these ports of the host lead to the container, by one nft
    /// transaction. UDP conntrack entries of changed ports are flushed. Throws where another
    /// container has one of them, by the titles of both.
    void publish(const std::string& container,
                 const Endpoint& endpoint,
                 const std::vector<PublishedPort>& ports,
                 const TitleOf& title_of = short_title);
    void unpublish(const std::string& container);

    /// Puts right what somebody else took away (bridge deleted, ruleset flushed), and removes what
    /// nobody's record speaks of (a maker died): compares and repairs. Cheap where nothing has
    /// changed. Returns the containers that have an address and no link for it, which is as it
    /// should be where they do not run.
    Strings reconcile();

  private:
    [[nodiscard]] Kernel& kernel();
    // These hold the lock already.
    StoredNetwork ensure_locked(const std::string& project,
                                const Network& network,
                                const std::string& config_digest);
    void remove_locked(const StoredNetwork& network);
    Endpoint attach_locked(const StoredNetwork& network,
                           const std::string& container,
                           const std::string& key,
                           const NetworkAttachment& wanted,
                           int index,
                           const Strings& avoided,
                           const std::vector<PublishedPort>& ports,
                           const TitleOf& title_of);
    /// What was `published` of it goes, too.
    void release_locked(const Strings& networks,
                        const std::string& container,
                        const Publication& published);
    void bring_up(const NetworkRecord& network);
    /// The lock is held. `added`: elements that come with it.
    void replace_publication(const std::string& container,
                             const Publication& after,
                             const Elements& added,
                             const TitleOf& title_of);

    Paths paths_;
    std::unique_ptr<Kernel> kernel_;  // opened at the first change
};

/// For each wanted port that cannot be bound now: a sentence that names who has it
/// ("127.0.0.1:8080/tcp is in use by nginx (pid 123)").
[[nodiscard]] Strings conflicts(const std::vector<PublishedPort>& wanted);

/// Whether the port can be bound now and is none of those `taken` by containers: these need not be
/// bound yet.
[[nodiscard]] bool is_free(const PublishedPort& port, const std::vector<PublishedPort>& taken);

/// A free port of the host out of `first`..`last` (0, 0: the ephemeral range); nullopt where there
/// is none.
[[nodiscard]] std::optional<std::uint16_t> free_port(const std::string& host_ip,
                                                     Protocol protocol,
                                                     std::uint16_t first,
                                                     std::uint16_t last,
                                                     const std::vector<PublishedPort>& taken = {});

}  // namespace stack::network
