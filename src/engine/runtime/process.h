#pragma once

// What runs in a container, from what its service and its image say.

#include "engine/runtime/runtime.h"
#include "shim/spec.h"

namespace stack::runtime {

/// Entrypoint and command together (OCI image-spec conversion.md, Docker's rules): an entrypoint of
/// the service replaces both of the image's; a command replaces the image's command; an empty list
/// is "none".
[[nodiscard]] Strings command_for(const Service& service, const ImageConfig& image);

/// NAME=value: Docker's defaults, under the image's, under the service's (a null one takes the
/// image's away).
[[nodiscard]] Strings environment_for(const Service& service,
                                      const ImageConfig& image,
                                      const std::string& hostname);

/// The host name inside: the service's, or the short id.
[[nodiscard]] std::string hostname_for(const Service& service, const std::string& id);

/// The number of the signal that asks the container to end.
[[nodiscard]] int stop_signal_for(const Service& service, const ImageConfig& image);

/// The service's health check over the image's; nullopt where there is none or it is disabled.
[[nodiscard]] std::optional<Healthcheck> healthcheck_for(const Service& service,
                                                         const ImageConfig& image);

/// The ports that the service and its image expose, in words such as 80, 53/udp and 8000-8002/tcp,
/// each once; other words expose none.
[[nodiscard]] std::vector<Port> exposed_ports(const Service& service, const ImageConfig& image);

/// The limits of its group: the service's over the defaults.
[[nodiscard]] Resources resources_for(const Service& service);

/// RLIMIT_… of "nofile" and the like. Throws stack::Error where there is none.
[[nodiscard]] std::uint32_t limit_number(const std::string& name);

/// Resource limits of a process: these over the defaults.
[[nodiscard]] std::vector<shim::LimitSpec> limits_for(const std::map<std::string, Ulimit>& ulimits);

/// The process and its rights, complete but for the system call filter.
[[nodiscard]] shim::ProcessSpec process_for(const ContainerRecord& record);

/// Whether security_opt says so, the last time it says something of it: "no-new-privileges",
/// "no-new-privileges:true", "seccomp=unconfined".
[[nodiscard]] bool has_security_option(const Service& service,
                                       std::string_view name,
                                       std::string_view value);

}  // namespace stack::runtime
