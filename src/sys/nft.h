#pragma once

// nftables through libnftables in this process: an `nft` program costs ten milliseconds a run, this
// a tenth of one.

#include "sys/netlink.h"

#include <cstdint>
#include <memory>
#include <string>

struct nft_ctx;

namespace stack::sys {

/// The tables of the network namespace that the process was in when this was made.
class Nft {
  public:
    /// Loads the library at the first use in the process. Throws where it is not installed.
    Nft();

    /// Does all of `commands` (nft(8)'s language) in one transaction, or nothing. Returns nft's own
    /// message where it refuses, "" when done.
    [[nodiscard]] std::string try_commit(const std::string& commands);
    /// As try_commit(), but throws "<what>: <nft's message>".
    void commit(const std::string& commands, const std::string& what);

    /// The table as JSON (libnftables-json(5)); empty where there is no such table.
    [[nodiscard]] std::string list_table(const std::string& family, const std::string& name);

    /// All tables of everybody, in the same form; empty where that is refused.
    [[nodiscard]] std::string list_ruleset();

  private:
    [[nodiscard]] std::string list(const std::string& what);

    std::unique_ptr<nft_ctx, void (*)(nft_ctx*)> context_;
};

/// Counts the changes that anybody made to the tables of the network namespace that the process was
/// in when this was made: where it stands still, nothing was changed. Needs no library. To be kept:
/// the kernel closes a socket of this kind only after an RCU grace period (6 ms, seen).
class NftGeneration {
  public:
    NftGeneration();

    [[nodiscard]] std::uint32_t now();

  private:
    NetlinkSocket socket_;
};

}  // namespace stack::sys
