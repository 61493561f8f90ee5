#pragma once

// From a container's record to what its shim is told.

#include <stack/paths.h>

#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "shim/spec.h"

#include <vector>

namespace stack::runtime {

/// The kernel's files that show or change too much, as Docker and podman hide them together
/// (security.md 1.4).
[[nodiscard]] Strings masked_paths();
[[nodiscard]] Strings read_only_paths();

/// The volumes, tmpfs and anonymous volumes of a container: the service's, what of `lent`, latest
/// first, is not at the place of one of those, and the image's VOLUMEs where there is neither.
[[nodiscard]] std::vector<Mount> mounts_for(const ContainerSpec& spec,
                                            const ImageConfig& image,
                                            const std::vector<Mount>& lent);

/// The image's labels, over them the service's and those by which tools find the containers of
/// docker compose (compose.md 1.2); the image's say nothing of the latter kind.
[[nodiscard]] StringMap labels_for(const ContainerRecord& record);

/// /etc/hosts: localhost, the container's own addresses, and the extra hosts; `host-gateway` is the
/// first gateway.
[[nodiscard]] std::string hosts_file(const ContainerRecord& record,
                                     const std::vector<network::Endpoint>& endpoints);
/// Its text `hosts`, with the lines of the container's own name as they are to be now.
[[nodiscard]] std::string with_own_addresses(const std::string& hosts,
                                             const ContainerRecord& record,
                                             const std::vector<network::Endpoint>& endpoints);
/// The address that a shim forwards to what the kernel cannot lead to the container: of IPv4, where
/// most servers listen, if it has one. Nothing is forwarded into an internal network: "".
[[nodiscard]] std::string forward_target(const network::Endpoint& endpoint);

/// The one that published ports lead to, of those that the host has a way to: it has the default
/// route, so that answers leave the way that questions came; where none has, the first. nullptr
/// where there is none.
[[nodiscard]] const network::Endpoint* find_published(
    const std::vector<network::Endpoint>& endpoints);
[[nodiscard]] shim::InterfaceSpec interface_spec(const network::Endpoint& endpoint);

/// A resolv.conf for another network namespace than the host's: without the servers of the host's
/// loopback, where nobody is there; with public ones where it has no others, as Docker's builder.
[[nodiscard]] std::string with_reachable_servers(const std::string& resolv_conf);
/// Whether it names one that is not on the host's loopback.
[[nodiscard]] bool has_reachable_server(const std::string& resolv_conf);

/// The name servers that the host asks.
[[nodiscard]] Strings host_servers();

/// /etc/resolv.conf: the name service of the container's networks.
[[nodiscard]] std::string resolv_conf(const ContainerRecord& record,
                                      const std::vector<network::Endpoint>& endpoints);

/// The description of the mounts (pure; `source_of` finds a volume's directory).
[[nodiscard]] std::vector<shim::MountSpec> mount_specs(
    const std::vector<Mount>& mounts, const std::function<shim::MountSpec(const Mount&)>& volume);

/// Namespaces that another process lends: `pid_of` finds the first process of `service:NAME` or
/// `container:NAME`.
[[nodiscard]] shim::NamespaceSpec namespace_for(
    const std::string& mode,
    const char* kind,
    const std::function<int(const std::string&)>& pid_of);

}  // namespace stack::runtime
