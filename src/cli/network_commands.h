#pragma once

// The verbs of `stack network`, by what they are about.

#include "cli/context.h"
#include "engine/network/record.h"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace stack::cli {

void add_network_create(CLI::App& group, Context& context);
void add_network_rm(CLI::App& group, Context& context);
void add_network_prune(CLI::App& group, Context& context);

void add_network_connect(CLI::App& group, Context& context);
void add_network_disconnect(CLI::App& group, Context& context);

void add_network_ls(CLI::App& group, Context& context);
void add_network_inspect(CLI::App& group, Context& context);

/// The 64 digits that stand for a network.
[[nodiscard]] std::string network_id(const Paths& paths, const network::NetworkRecord& network);

/// The MAC address of its interface in a network where it has these addresses.
[[nodiscard]] std::string mac_of(const Service& service,
                                 const std::string& network,
                                 const std::string& ipv4,
                                 const std::string& ipv6);

/// docker's own: `host`, `none`, and `bridge`, the network of containers that name none. They are
/// there always, whether or not anything of them is on disk.
[[nodiscard]] bool is_predefined(const network::NetworkRecord& network);

/// All that there are, the predefined ones too, by name.
[[nodiscard]] std::vector<network::StoredNetwork> all_networks(const Paths& paths);

/// Found by its name or the beginning of its id; gives up where there are several.
[[nodiscard]] std::optional<network::StoredNetwork> find_network(const Paths& paths,
                                                                 const std::string& name);
/// The same, or gives up.
[[nodiscard]] network::StoredNetwork require_network(const Paths& paths, const std::string& name);

/// `name=`, `id=`, `label=a`, `label=a=b`, `driver=`, `dangling=`, `type=custom`, `type=builtin`,
/// `label!=a`, `until=24h`; labels must all hold, and one of each other key. Gives up where one is
/// none of these.
[[nodiscard]] bool passes_filters(const Paths& paths,
                                  const network::StoredNetwork& network,
                                  const Strings& filters);

/// The leases that containers hold in it.
[[nodiscard]] std::vector<network::Lease> held_leases(const Paths& paths,
                                                      const std::string& network);

}  // namespace stack::cli
