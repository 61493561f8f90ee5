#pragma once

// From a stack's description of a service to what its containers are made from.

#include <stack/plan.h>

#include "base/expected.h"

#include <map>
#include <optional>
#include <string>

namespace stack::plan {

/// Whether the stack file has the service, if in a profile that is not active.
[[nodiscard]] bool is_known(const Stack& stack, const std::string& service);

/// Ended, and about to be started again by its restart policy unless somebody says stop.
[[nodiscard]] bool awaits_restart(const ObservedContainer& container);

/// As a reason to start one that is not up.
[[nodiscard]] std::string why_not_running(const ObservedContainer& container);

/// `<stack>-<service>-<number>`, or the service's container_name.
[[nodiscard]] std::string container_name(const Stack& stack, const Service& service, int number);

/// The networks of a service by their real names.
[[nodiscard]] std::map<std::string, NetworkAttachment> networks_of(const Stack& stack,
                                                                   const Service& service);

/// The complete description: real names of volumes and networks, sources of secrets and configs,
/// its digest.
[[nodiscard]] ContainerSpec container_spec(const Stack& stack, const Service& service, int number);

/// The container of the `index`th of the service's pre_start hooks: the service's own, with the
/// hook's command and without what is for those who want something of the service. Of the replica
/// `number` where the hook is for each.
[[nodiscard]] ContainerSpec pre_start_spec(const Stack& stack,
                                           const Service& service,
                                           std::size_t index,
                                           int number);

/// Its hooks run in a container that can run something.
[[nodiscard]] StopContainer stop_of(const ObservedContainer& container,
                                    std::optional<Duration> timeout);

/// How many containers a service is to have.
[[nodiscard]] int scale_of(const Service& service, const PlanOptions& options);

/// `NAME` of `service:NAME` in network_mode, pid or ipc: it lives in namespaces of theirs.
[[nodiscard]] Strings namespace_lenders(const Service& service);

/// Whether it lives in a namespace of a container that has ended.
[[nodiscard]] bool is_stranded(const ObservedContainer& container, const Observed& observed);

/// `service` of `service:NAME` in network_mode, pid or ipc, and of volumes_from: recreated with it.
[[nodiscard]] Strings shared_with(const Service& service);

/// The services whose images the build of `service` takes from: `service:NAME` among its contexts.
[[nodiscard]] Strings build_sources(const Service& service);

/// The service's build, with images in the place of the services that it takes from, and what the
/// stack's secrets are in the place of their names.
[[nodiscard]] Build resolved_build(const Stack& stack, const Service& service);

/// These services and those that their builds take from, each after its sources. Malformed where
/// builds need one another, or one needs a service that the stack does not build.
[[nodiscard]] Expected<Strings> build_order(const Stack& stack, const Strings& services);

}  // namespace stack::plan
