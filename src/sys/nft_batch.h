#pragma once

// Changes of tables of nf_tables by netlink (linux/netfilter/nf_tables.h). libnftables does
// the same from text, at the price of loading itself, six libraries and a cache of every table: ten
// milliseconds, which a start does not have.

#include "sys/netlink.h"
#include "sys/netlink_attributes.h"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::sys {

/// What a table's chains see (linux/netfilter.h): packets of IP, or frames that cross a bridge.
enum class NftFamily : std::uint8_t { inet = 1, bridge = 7 };

/// The bytes of one element of a set, as the kernel compares them.
struct NftElement {
    std::string key;
    bool belongs = true;  // false: the first plain key after an interval
    std::string key_end;  // of an interval of concatenated keys, included; "" where it is none
    std::string data;     // what a map leads to; "" in a set

    auto operator<=>(const NftElement&) const = default;
};

/// In an order that the kernel takes: where intervals touch, one is over before the next begins.
using NftElements = std::set<NftElement>;

struct NftSet {
    std::string name;
    std::uint32_t flags = 0;     // NFT_SET_…
    std::uint32_t key_type = 0;  // nft(8)'s numbers, which only it reads
    std::uint32_t key_length = 0;
    std::uint32_t data_type = 0;  // of a map
    std::uint32_t data_length = 0;
    std::vector<std::uint32_t> field_lengths;  // of an interval of concatenated keys
    std::string user_data;                     // nft(8)'s
    NftFamily family = NftFamily::inet;        // of its table
};

struct NftChain {
    std::string name;
    std::string type;  // filter, nat; "" where nothing but a jump leads to it
    std::uint32_t hook = 0;
    int priority = 0;
    std::vector<NetlinkAttributes> rules;  // the list of expressions of each
    NftFamily family = NftFamily::inet;    // of its table
};

/// One transaction: all of it comes to be, or nothing does. Its steps are done in their order. It
/// may change a table of each family, which have one name.
class NftBatch {
  public:
    explicit NftBatch(std::string table);

    void ensure_table(NftFamily family = NftFamily::inet);
    void remove_table(NftFamily family = NftFamily::inet);
    void add_set(const NftSet& set);
    void add_chain(const NftChain& chain);
    void add_rules(const NftChain& chain);
    /// Those that are there already stay.
    void add_elements(const NftSet& set, const NftElements& elements);
    /// Fails where one is not there.
    void remove_elements(const NftSet& set, const NftElements& elements);

    [[nodiscard]] bool empty() const { return messages_.empty(); }

    /// "", or why the kernel refused it. `socket` is one of NETLINK_NETFILTER.
    [[nodiscard]] std::string try_commit(NetlinkSocket& socket);

  private:
    NetlinkMessage& add(NftFamily family, int type, int flags);
    void change_elements(int type, int flags, const NftSet& set, const NftElements& elements);

    std::string table_;
    std::vector<NetlinkMessage> messages_;
};

/// Counts the changes that anybody made to the tables of the network namespace of the socket: where
/// it stands still, nothing was changed.
[[nodiscard]] std::uint32_t nft_generation(NetlinkSocket& socket);

/// "<family> <name>" of every table of everybody: "inet filter".
[[nodiscard]] std::vector<std::string> list_nft_tables(NetlinkSocket& socket);

/// The kernel gives a rule's expressions back in its own words. What tells ours from another that
/// somebody put in its place is a digest of them, which it keeps for us; nft(8) shows nothing of
/// it.
[[nodiscard]] std::string rule_mark(const NetlinkAttributes& rule);

/// A chain as it is in force.
struct NftChainListing {
    std::string type;
    std::uint32_t hook = 0;
    int priority = 0;
    bool drops = false;              // what no rule of it decides
    std::vector<std::string> rules;  // the mark of each; "" of one without

    bool operator==(const NftChainListing&) const = default;
};

/// How a chain is listed that add_chain() and add_rules() have made, and nobody has changed.
[[nodiscard]] NftChainListing listing_for(const NftChain& chain);

struct NftListing {
    bool dormant = false;  // nothing of it is in force
    std::map<std::string, NftChainListing> chains;
    std::map<std::string, NftElements> sets;
};

/// nullopt where there is no such table.
[[nodiscard]] std::optional<NftListing> list_nft_table(NetlinkSocket& socket,
                                                       const std::string& table,
                                                       NftFamily family = NftFamily::inet);

}  // namespace stack::sys
