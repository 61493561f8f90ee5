#include "cli/inspect.h"

#include "cli/describe.h"

#include <array>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

constexpr const char* never = "0001-01-01T00:00:00Z";

std::string moment(Time time) {
    return time == Time{} ? never : time_text(time);
}

Json state_json(const ObservedContainer& seen) {
    const bool up = seen.state == ContainerState::running || seen.state == ContainerState::paused;
    Json state = {{"Status", state_text(seen)},
                  {"Running", up},
                  {"Paused", seen.state == ContainerState::paused},
                  {"Restarting", false},
                  {"OOMKilled", seen.exit.oom_killed},
                  {"Dead", false},
                  {"Pid", up ? seen.pid : 0},
                  {"ExitCode", seen.exit.code ? Json(*seen.exit.code) : Json(up ? 0 : -1)},
                  {"StartedAt", moment(seen.started)},
                  {"FinishedAt", moment(seen.finished)}};
    if (seen.state == ContainerState::created)
        state["ExitCode"] = 0;
    if (seen.health != Health::none) {
        constexpr std::array<const char*, 4> words{"none", "starting", "healthy", "unhealthy"};
        state["Health"] = {{"Status", words[static_cast<std::size_t>(seen.health)]}};
    }
    return state;
}

std::string port_key(const ObservedPort& port) {
    constexpr std::array<const char*, 3> protocols{"tcp", "udp", "sctp"};
    return std::to_string(port.target) + "/" + protocols[static_cast<std::size_t>(port.protocol)];
}

Json ports_json(const ObservedContainer& seen) {
    Json ports = Json::object();
    for (const auto& port : seen.ports)
        ports[port_key(port)].push_back(
            {{"HostIp", port.host_ip.empty() ? "0.0.0.0" : port.host_ip},
             {"HostPort", std::to_string(port.published)}});
    return ports;
}

Json mounts_json(const ObservedContainer& seen) {
    constexpr std::array<const char*, 4> types{"volume", "bind", "tmpfs", "image"};
    Json mounts = Json::array();
    for (const auto& mount : seen.mounts) {
        Json one = {{"Type", types[static_cast<std::size_t>(mount.type)]},
                    {"Source", mount.type == MountType::tmpfs ? "" : mount.source},
                    {"Destination", mount.target},
                    {"RW", !mount.read_only}};
        if (mount.type == MountType::volume)
            one["Name"] = mount.source;
        mounts.push_back(std::move(one));
    }
    return mounts;
}

Json restart_json(const RestartPolicy& policy) {
    constexpr std::array<const char*, 4> names{"no", "on-failure", "always", "unless-stopped"};
    return {{"Name", names[static_cast<std::size_t>(policy.condition)]},
            {"MaximumRetryCount", policy.max_attempts.value_or(0)}};
}

Json host_json(const ObservedContainer& seen) {
    const Service& service = seen.service_config;
    const Resources& limits = service.resources;
    constexpr double nano = 1e9;
    const std::string first = service.networks.empty() ? "none" : service.networks.begin()->first;
    return {{"NetworkMode", service.network_mode.empty() ? first : service.network_mode},
            {"PortBindings", ports_json(seen)},
            {"RestartPolicy", restart_json(service.restart)},
            {"AutoRemove", seen.auto_remove},
            {"Privileged", service.privileged},
            {"ReadonlyRootfs", service.read_only},
            {"Init", service.init},
            {"CapAdd", service.cap_add},
            {"CapDrop", service.cap_drop},
            {"SecurityOpt", service.security_opt},
            {"Annotations", service.annotations},
            {"Dns", service.dns},
            {"DnsOptions", service.dns_opt},
            {"DnsSearch", service.dns_search},
            {"OomScoreAdj", service.oom_score_adj.value_or(0)},
            {"PidMode", service.pid},
            {"IpcMode", service.ipc},
            {"Memory", limits.memory.value_or(0)},
            {"NanoCpus", static_cast<std::int64_t>(limits.cpus.value_or(0) * nano)},
            {"CpuShares", limits.cpu_shares.value_or(0)},
            {"CpusetCpus", limits.cpuset},
            {"PidsLimit", limits.pids.value_or(0)}};
}

Json config_json(const runtime::ContainerRecord& record, const ObservedContainer& seen) {
    const Service& service = seen.service_config;
    const ImageConfig& image = record.image.config;
    Strings environment = image.environment;
    for (const auto& [name, value] : service.environment) {
        std::erase_if(environment, [&, key = name + "="](const std::string& entry) {
            return entry.starts_with(key);
        });
        if (value)
            environment.push_back(name + "=" + *value);
    }
    return {{"Hostname", service.hostname.empty() ? seen.id.substr(0, 12) : service.hostname},
            {"User", service.user.empty() ? image.user : service.user},
            {"Tty", service.tty},
            {"OpenStdin", service.stdin_open},
            {"Env", environment},
            {"Entrypoint", service.entrypoint.value_or(image.entrypoint)},
            {"Cmd", service.command.value_or(service.entrypoint ? Strings() : image.command)},
            {"Image", seen.image},
            {"WorkingDir", service.working_dir.empty() ? image.working_dir : service.working_dir},
            {"StopSignal", service.stop_signal.empty() ? image.stop_signal : service.stop_signal},
            {"Labels", seen.labels}};
}

Json networks_json(const ObservedContainer& seen) {
    Json networks = Json::object();
    for (const auto& [name, attachment] : seen.service_config.networks)
        networks[name] = {
            {"Aliases", attachment.aliases}, {"IPAddress", ""}, {"GlobalIPv6Address", ""}};
    for (const auto& address : seen.addresses) {
        networks[address.network]["IPAddress"] = address.ipv4;
        networks[address.network]["GlobalIPv6Address"] = address.ipv6;
    }
    return {{"Ports", ports_json(seen)},
            {"IPAddress", seen.addresses.empty() ? "" : seen.addresses.front().ipv4},
            {"Networks", networks}};
}

}  // namespace

Json inspect_json(const runtime::ContainerRecord& record,
                  const ObservedContainer& seen,
                  const std::string& log_path) {
    const Strings& words = seen.command;
    return {{"Id", seen.id},
            {"Created", time_text(seen.created)},
            {"Path", words.empty() ? "" : words.front()},
            {"Args", words.empty() ? Strings() : Strings(words.begin() + 1, words.end())},
            {"State", state_json(seen)},
            {"Image", seen.image_id},
            {"Name", "/" + seen.name},
            {"RestartCount", seen.restarts},
            {"LogPath", log_path},
            {"Platform", "linux"},
            {"HostConfig", host_json(seen)},
            {"Mounts", mounts_json(seen)},
            {"Config", config_json(record, seen)},
            {"NetworkSettings", networks_json(seen)}};
}

}  // namespace stack::cli
