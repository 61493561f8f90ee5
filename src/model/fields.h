#pragma once

// The fields of every value that is written as JSON, named once. codec.h walks them to encode, to
// decode and, through JSON, to compare.

#include <stack/events.h>
#include <stack/model.h>
#include <stack/plan.h>

#include "model/image.h"

#include <array>
#include <concepts>
#include <string_view>
#include <type_traits>

namespace stack::model {

template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

/// The names of an enumeration's values, in order.
template <class E>
inline constexpr std::array<std::string_view, 0> names_of{};
template <>
inline constexpr std::array<std::string_view, 3> names_of<Protocol>{"tcp", "udp", "sctp"};
template <>
inline constexpr std::array<std::string_view, 4> names_of<MountType>{
    "volume", "bind", "tmpfs", "image"};
template <>
inline constexpr std::array<std::string_view, 4> names_of<RestartCondition>{
    "no", "on-failure", "always", "unless-stopped"};
template <>
inline constexpr std::array<std::string_view, 3> names_of<DependencyCondition>{
    "service_started", "service_healthy", "service_completed_successfully"};
template <>
inline constexpr std::array<std::string_view, 4> names_of<ContainerState>{
    "created", "running", "paused", "exited"};
template <>
inline constexpr std::array<std::string_view, 4> names_of<Health>{
    "none", "starting", "healthy", "unhealthy"};
template <>
inline constexpr std::array<std::string_view, 3> names_of<RecreatePolicy>{
    "diverged", "always", "never"};
template <>
inline constexpr std::array<std::string_view, 4> names_of<EventStatus>{
    "Working", "Done", "Warning", "Error"};

template <class E>
[[nodiscard]] constexpr std::string_view name_of(E value) {
    return names_of<E>[static_cast<std::size_t>(value)];
}

void visit_fields(Is<Port> auto& v, auto&& field) {
    field("host_ip", v.host_ip), field("published", v.published), field("target", v.target);
    field("protocol", v.protocol), field("mode", v.mode), field("name", v.name);
    field("app_protocol", v.app_protocol);
}

void visit_fields(Is<Mount> auto& v, auto&& field) {
    field("type", v.type), field("source", v.source), field("target", v.target),
        field("read_only", v.read_only);
    field("propagation", v.propagation), field("create_host_path", v.create_host_path);
    field("selinux", v.selinux), field("recursive", v.recursive), field("nocopy", v.nocopy);
    field("subpath", v.subpath), field("labels", v.labels), field("tmpfs_size", v.tmpfs_size);
    field("tmpfs_mode", v.tmpfs_mode);
}

void visit_fields(Is<FileReference> auto& v, auto&& field) {
    field("source", v.source), field("target", v.target), field("uid", v.uid), field("gid", v.gid);
    field("mode", v.mode);
}

void visit_fields(Is<Healthcheck> auto& v, auto&& field) {
    field("test", v.test), field("interval", v.interval), field("timeout", v.timeout);
    field("start_period", v.start_period), field("start_interval", v.start_interval);
    field("retries", v.retries), field("disabled", v.disabled);
}

void visit_fields(Is<RestartPolicy> auto& v, auto&& field) {
    field("condition", v.condition), field("max_attempts", v.max_attempts), field("delay", v.delay);
    field("window", v.window);
}

void visit_fields(Is<Dependency> auto& v, auto&& field) {
    field("condition", v.condition), field("restart", v.restart), field("required", v.required);
}

void visit_fields(Is<Ulimit> auto& v, auto&& field) {
    field("soft", v.soft), field("hard", v.hard);
}

void visit_fields(Is<BuildSecret> auto& v, auto&& field) {
    field("source", v.source), field("target", v.target), field("content", v.content);
}

void visit_fields(Is<Build> auto& v, auto&& field) {
    field("context", v.context), field("dockerfile", v.dockerfile);
    field("dockerfile_inline", v.dockerfile_inline), field("args", v.args),
        field("target", v.target);
    field("labels", v.labels), field("tags", v.tags), field("cache_from", v.cache_from);
    field("cache_to", v.cache_to), field("additional_contexts", v.additional_contexts);
    field("network", v.network), field("extra_hosts", v.extra_hosts), field("shm_size", v.shm_size);
    field("ulimits", v.ulimits), field("platforms", v.platforms), field("secrets", v.secrets);
    field("ssh", v.ssh), field("entitlements", v.entitlements), field("isolation", v.isolation);
    field("no_cache", v.no_cache), field("no_cache_filter", v.no_cache_filter);
    field("pull", v.pull), field("privileged", v.privileged);
}

void visit_fields(Is<NetworkAttachment> auto& v, auto&& field) {
    field("aliases", v.aliases), field("ipv4_address", v.ipv4_address),
        field("ipv6_address", v.ipv6_address);
    field("mac_address", v.mac_address), field("interface_name", v.interface_name);
    field("link_local_ips", v.link_local_ips), field("driver_opts", v.driver_opts);
    field("priority", v.priority), field("gw_priority", v.gw_priority);
}

void visit_fields(Is<Logging> auto& v, auto&& field) {
    field("driver", v.driver), field("options", v.options);
}

void visit_fields(Is<Device> auto& v, auto&& field) {
    field("source", v.source), field("target", v.target), field("permissions", v.permissions);
}

void visit_fields(Is<DeviceRequest> auto& v, auto&& field) {
    field("driver", v.driver), field("count", v.count), field("device_ids", v.device_ids);
    field("capabilities", v.capabilities), field("options", v.options);
}

void visit_fields(Is<BlkioWeight> auto& v, auto&& field) {
    field("path", v.path), field("weight", v.weight);
}

void visit_fields(Is<BlkioRate> auto& v, auto&& field) {
    field("path", v.path), field("rate", v.rate);
}

void visit_fields(Is<Blkio> auto& v, auto&& field) {
    field("weight", v.weight), field("weight_device", v.weight_device);
    field("device_read_bps", v.device_read_bps), field("device_write_bps", v.device_write_bps);
    field("device_read_iops", v.device_read_iops), field("device_write_iops", v.device_write_iops);
}

void visit_fields(Is<Resources> auto& v, auto&& field) {
    field("cpus", v.cpus), field("cpu_shares", v.cpu_shares), field("cpu_quota", v.cpu_quota);
    field("cpu_period", v.cpu_period), field("cpu_rt_runtime", v.cpu_rt_runtime);
    field("cpu_rt_period", v.cpu_rt_period), field("cpuset", v.cpuset);
    field("cpuset_mems", v.cpuset_mems), field("memory", v.memory);
    field("memory_reservation", v.memory_reservation), field("memory_swap", v.memory_swap);
    field("memory_swappiness", v.memory_swappiness), field("pids", v.pids);
    field("reserved_cpus", v.reserved_cpus), field("oom_kill_disable", v.oom_kill_disable);
    field("blkio", v.blkio);
}

void visit_fields(Is<UpdateConfig> auto& v, auto&& field) {
    field("parallelism", v.parallelism), field("delay", v.delay), field("monitor", v.monitor);
    field("failure_action", v.failure_action), field("order", v.order);
    field("max_failure_ratio", v.max_failure_ratio);
}

void visit_fields(Is<Hook> auto& v, auto&& field) {
    field("command", v.command), field("image", v.image), field("user", v.user);
    field("working_dir", v.working_dir), field("environment", v.environment);
    field("privileged", v.privileged), field("per_replica", v.per_replica);
}

void visit_fields(Is<WatchRule> auto& v, auto&& field) {
    field("path", v.path), field("action", v.action), field("target", v.target),
        field("ignore", v.ignore);
    field("include", v.include), field("exec", v.exec), field("initial_sync", v.initial_sync);
}

void visit_fields(Is<EnvFile> auto& v, auto&& field) {
    field("path", v.path), field("format", v.format), field("required", v.required);
}

void visit_fields(Is<Provider> auto& v, auto&& field) {
    field("type", v.type), field("options", v.options);
}

void visit_fields(Is<Service> auto& v, auto&& field) {
    field("name", v.name), field("image", v.image), field("build", v.build),
        field("pull_policy", v.pull_policy);
    field("platform", v.platform), field("command", v.command), field("entrypoint", v.entrypoint);
    field("environment", v.environment), field("env_file", v.env_file),
        field("working_dir", v.working_dir);
    field("user", v.user), field("group_add", v.group_add), field("tty", v.tty);
    field("stdin_open", v.stdin_open), field("init", v.init), field("stop_signal", v.stop_signal);
    field("stop_grace_period", v.stop_grace_period), field("container_name", v.container_name);
    field("hostname", v.hostname), field("domainname", v.domainname), field("labels", v.labels);
    field("label_file", v.label_file), field("annotations", v.annotations),
        field("profiles", v.profiles), field("ports", v.ports);
    field("expose", v.expose), field("networks", v.networks), field("network_mode", v.network_mode);
    field("mac_address", v.mac_address), field("extra_hosts", v.extra_hosts), field("dns", v.dns);
    field("dns_search", v.dns_search), field("dns_opt", v.dns_opt), field("links", v.links);
    field("external_links", v.external_links), field("volumes", v.volumes);
    field("volumes_from", v.volumes_from), field("tmpfs", v.tmpfs), field("secrets", v.secrets);
    field("configs", v.configs), field("read_only", v.read_only), field("shm_size", v.shm_size);
    field("storage_opt", v.storage_opt), field("privileged", v.privileged),
        field("cap_add", v.cap_add);
    field("cap_drop", v.cap_drop), field("security_opt", v.security_opt),
        field("seccomp_profile", v.seccomp_profile), field("devices", v.devices);
    field("device_cgroup_rules", v.device_cgroup_rules),
        field("device_requests", v.device_requests);
    field("ulimits", v.ulimits), field("sysctls", v.sysctls), field("pid", v.pid),
        field("ipc", v.ipc);
    field("uts", v.uts), field("cgroup", v.cgroup), field("cgroup_parent", v.cgroup_parent);
    field("userns_mode", v.userns_mode), field("runtime", v.runtime),
        field("oom_score_adj", v.oom_score_adj);
    field("resources", v.resources), field("depends_on", v.depends_on),
        field("healthcheck", v.healthcheck);
    field("restart", v.restart), field("scale", v.scale), field("update_config", v.update_config);
    field("rollback_config", v.rollback_config), field("pre_start", v.pre_start);
    field("post_start", v.post_start), field("pre_stop", v.pre_stop), field("logging", v.logging);
    field("attach", v.attach), field("watch", v.watch), field("provider", v.provider);
    field("models", v.models), field("restart_unhealthy", v.restart_unhealthy);
}

void visit_fields(Is<IpamPool> auto& v, auto&& field) {
    field("subnet", v.subnet), field("gateway", v.gateway), field("ip_range", v.ip_range);
    field("aux_addresses", v.aux_addresses);
}

void visit_fields(Is<Network> auto& v, auto&& field) {
    field("key", v.key), field("name", v.name), field("driver", v.driver),
        field("driver_opts", v.driver_opts);
    field("ipam_driver", v.ipam_driver), field("ipam", v.ipam), field("labels", v.labels);
    field("external", v.external), field("internal", v.internal), field("attachable", v.attachable);
    field("enable_ipv4", v.enable_ipv4), field("enable_ipv6", v.enable_ipv6);
}

void visit_fields(Is<Volume> auto& v, auto&& field) {
    field("key", v.key), field("name", v.name), field("driver", v.driver),
        field("driver_opts", v.driver_opts);
    field("labels", v.labels), field("external", v.external);
}

void visit_fields(Is<FileSource> auto& v, auto&& field) {
    field("key", v.key), field("name", v.name), field("file", v.file), field("digest", v.digest),
        field("environment", v.environment);
    field("content", v.content), field("labels", v.labels), field("external", v.external);
}

void visit_fields(Is<Stack> auto& v, auto&& field) {
    field("name", v.name), field("working_dir", v.working_dir), field("files", v.files),
        field("all_resources", v.all_resources);
    field("services", v.services), field("networks", v.networks), field("volumes", v.volumes);
    field("secrets", v.secrets), field("configs", v.configs);
    field("disabled_services", v.disabled_services);
}

void visit_fields(Is<ContainerSpec> auto& v, auto&& field) {
    field("name", v.name), field("project", v.project), field("number", v.number),
        field("oneoff", v.oneoff);
    field("auto_remove", v.auto_remove), field("await_client", v.await_client);
    field("service", v.service), field("secrets", v.secrets);
    field("configs", v.configs), field("image", v.image), field("config_digest", v.config_digest);
    field("anonymous_salt", v.anonymous_salt), field("working_dir", v.working_dir),
        field("files", v.files), field("avoided_addresses", v.avoided_addresses);
}

void visit_fields(Is<PlanOptions> auto& v, auto&& field) {
    field("services", v.services), field("scale", v.scale), field("recreate", v.recreate);
    field("recreate_dependencies", v.recreate_dependencies), field("no_deps", v.no_deps);
    field("no_start", v.no_start), field("build", v.build), field("no_build", v.no_build),
        field("pull", v.pull);
    field("remove_orphans", v.remove_orphans), field("ignore_orphans", v.ignore_orphans),
        field("renew_anonymous_volumes", v.renew_anonymous_volumes);
    field("renew_salt", v.renew_salt), field("timeout", v.timeout), field("wait", v.wait),
        field("wait_timeout", v.wait_timeout);
}

void visit_fields(Is<RunOptions> auto& v, auto&& field) {
    field("service", v.service), field("name", v.name), field("auto_remove", v.auto_remove);
    field("await_client", v.await_client), field("keeps_policy", v.keeps_policy);
}

void visit_fields(Is<DownOptions> auto& v, auto&& field) {
    field("services", v.services), field("volumes", v.volumes),
        field("remove_orphans", v.remove_orphans);
    field("timeout", v.timeout);
}

void visit_fields(Is<Event> auto& v, auto&& field) {
    field("id", v.id), field("status", v.status), field("text", v.text), field("detail", v.detail);
    field("parent", v.parent), field("current", v.current), field("total", v.total);
}

void visit_fields(Is<ImageConfig> auto& v, auto&& field) {
    field("entrypoint", v.entrypoint), field("command", v.command),
        field("environment", v.environment);
    field("user", v.user), field("working_dir", v.working_dir), field("stop_signal", v.stop_signal);
    field("volumes", v.volumes), field("exposed_ports", v.exposed_ports), field("labels", v.labels);
    field("shell", v.shell), field("on_build", v.on_build), field("healthcheck", v.healthcheck);
    field("os", v.os), field("architecture", v.architecture), field("variant", v.variant);
}

}  // namespace stack::model
