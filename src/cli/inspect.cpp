#include "cli/inspect.h"

#include "base/digest.h"
#include "base/text.h"
#include "cli/describe.h"
#include "cli/network_commands.h"
#include "cli/port_list.h"
#include "engine/runtime/process.h"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

constexpr const char* never = "0001-01-01T00:00:00Z";

std::string moment(Time time) {
    return time == Time{} ? never : time_text(time);
}

/// Docker: one that has ended is not healthy, whatever its last check said.
Json health_json(const ObservedContainer& seen, const runtime::HealthRecord& record) {
    constexpr std::array<const char*, 4> words{"none", "starting", "healthy", "unhealthy"};
    const Health health = is_up(seen) ? seen.health : Health::unhealthy;
    Json log = Json::array();
    for (const auto& result : record.log)
        log.push_back({{"Start", time_text(result.start)},
                       {"End", time_text(result.end)},
                       {"ExitCode", result.exit_code},
                       {"Output", result.output}});
    return {{"Status", words[static_cast<std::size_t>(health)]},
            {"FailingStreak", record.failing_streak},
            {"Log", log}};
}

/// Docker: one that is about to be started again counts as running.
Json state_json(const ObservedContainer& seen, const InspectDetails& details) {
    const bool up = is_up(seen);
    Json state = {{"Status", state_text(seen)},
                  {"Running", up || seen.restarting},
                  {"Paused", seen.state == ContainerState::paused},
                  {"Restarting", seen.restarting},
                  {"OOMKilled", seen.exit.oom_killed},
                  {"Dead", false},
                  {"Pid", up ? seen.pid : 0},
                  {"ExitCode", seen.exit.code ? Json(*seen.exit.code) : Json(up ? 0 : -1)},
                  {"Error", up ? "" : details.start_error},
                  {"StartedAt", moment(seen.started)},
                  {"FinishedAt", moment(seen.finished)}};
    if (seen.state == ContainerState::created)
        state["ExitCode"] = 0;
    if (seen.health != Health::none || !details.health.log.empty())
        state["Health"] = health_json(seen, details.health);
    return state;
}

/// Those that are only exposed lead nowhere.
Json ports_json(const ObservedContainer& seen) {
    Json ports = Json::object();
    for (const auto& port : ports_in_force(seen)) {
        Json& bindings = ports[target_text(port)];
        if (port.published != 0)
            bindings.push_back(
                {{"HostIp", port.host_ip}, {"HostPort", std::to_string(port.published)}});
    }
    return ports;
}

/// As they were asked for.
Json port_bindings_json(const Service& service) {
    Json ports = Json::object();
    for (const auto& port : service.ports)
        ports[target_text({port.host_ip, 0, port.target, port.protocol})].push_back(
            {{"HostIp", port.host_ip}, {"HostPort", port.published}});
    return ports;
}

/// What stands behind the second colon of a volume.
std::string mount_mode(const Mount& mount) {
    Strings words;
    if (mount.read_only)
        words.emplace_back("ro");
    if (!mount.selinux.empty())
        words.push_back(mount.selinux);
    return join(words, ",");
}

/// Only binds have one.
std::string propagation_of(const Mount& mount) {
    const std::string usual = "rprivate";
    return mount.type != MountType::bind ? ""
           : mount.propagation.empty()   ? usual
                                         : mount.propagation;
}

Json mounts_json(const ObservedContainer& seen, const StringMap& volumes) {
    constexpr std::array<const char*, 4> types{"volume", "bind", "tmpfs", "image"};
    Json mounts = Json::array();
    for (const auto& mount : seen.mounts) {
        Json one = {{"Type", types[static_cast<std::size_t>(mount.type)]},
                    {"Source", mount.type == MountType::tmpfs ? "" : mount.source},
                    {"Destination", mount.target},
                    {"Mode", mount_mode(mount)},
                    {"RW", !mount.read_only && mount.type != MountType::image},
                    {"Propagation", propagation_of(mount)}};
        if (mount.type == MountType::volume) {
            const auto directory = volumes.find(mount.source);
            one["Name"] = mount.source;
            one["Driver"] = "local";
            one["Source"] = directory == volumes.end() ? "" : directory->second;
        }
        mounts.push_back(std::move(one));
    }
    return mounts;
}

Json restart_json(const RestartPolicy& policy) {
    constexpr std::array<const char*, 4> names{"no", "on-failure", "always", "unless-stopped"};
    return {{"Name", names[static_cast<std::size_t>(policy.condition)]},
            {"MaximumRetryCount", policy.max_attempts.value_or(0)}};
}

/// `SOURCE:TARGET[:ro]` of what has a name or a place on this machine.
Strings binds_of(const ObservedContainer& seen) {
    Strings binds;
    for (const auto& mount : seen.service_config->volumes)
        if ((mount.type == MountType::bind || mount.type == MountType::volume) &&
            !mount.source.empty())
            binds.push_back(mount.source + ":" + mount.target + (mount.read_only ? ":ro" : ""));
    return binds;
}

Strings extra_hosts_of(const Service& service) {
    Strings hosts;
    for (const auto& [name, addresses] : service.extra_hosts)
        for (const auto& address : addresses)
            hosts.push_back(name + ":" + address);
    return hosts;
}

Json ulimits_json(const Service& service) {
    Json limits = Json::array();
    for (const auto& [name, limit] : service.ulimits)
        limits.push_back({{"Name", name}, {"Soft", limit.soft}, {"Hard", limit.hard}});
    return limits;
}

Json tmpfs_json(const Service& service) {
    Json mounts = Json::object();
    for (const auto& text : service.tmpfs) {
        const auto [target, options] = split_once(text, ':');
        mounts[target] = options;
    }
    return mounts;
}

/// Those that are no binds: they have words of their own.
Json own_mounts_json(const Service& service) {
    Json mounts = Json::array();
    for (const auto& mount : service.volumes)
        if (mount.type == MountType::tmpfs)
            mounts.push_back({{"Type", "tmpfs"}, {"Target", mount.target}});
        else if (mount.type == MountType::image)
            mounts.push_back(
                {{"Type", "image"}, {"Source", mount.source}, {"Target", mount.target}});
    return mounts;
}

/// Those of the machine; what others' names stand for is elsewhere.
Json devices_json(const Service& service) {
    Json devices = Json::array();
    for (const auto& device : service.devices)
        if (device.source.starts_with('/'))
            devices.push_back(
                {{"PathOnHost", device.source},
                 {"PathInContainer", device.target.empty() ? device.source : device.target},
                 {"CgroupPermissions", device.permissions}});
    return devices;
}

Json limits_json(const Resources& limits) {
    constexpr double nano = 1e9;
    return {
        {"Memory", limits.memory.value_or(0)},
        {"MemoryReservation", limits.memory_reservation.value_or(0)},
        {"MemorySwap", limits.memory_swap.value_or(0)},
        {"NanoCpus", static_cast<std::int64_t>(limits.cpus.value_or(0) * nano)},
        {"CpuShares", limits.cpu_shares.value_or(0)},
        {"CpuPeriod", limits.cpu_period.value_or(0)},
        {"CpuQuota", limits.cpu_quota.value_or(0)},
        {"CpusetCpus", limits.cpuset},
        {"CpusetMems", limits.cpuset_mems},
        {"PidsLimit", limits.pids.value_or(0)},
        {"BlkioWeight", limits.blkio.weight},
        {"MemorySwappiness", limits.memory_swappiness ? Json(*limits.memory_swappiness) : Json()},
        {"OomKillDisable", limits.oom_kill_disable}};
}

Json host_json(const ObservedContainer& seen) {
    const Service& service = seen.service_config;
    const std::string first = service.networks.empty() ? "none" : service.networks.begin()->first;
    constexpr Bytes default_shm = 64 << 20;
    Json host = {{"NetworkMode", service.network_mode.empty() ? first : service.network_mode},
                 {"Binds", binds_of(seen)},
                 {"PortBindings", port_bindings_json(service)},
                 {"RestartPolicy", restart_json(service.restart)},
                 {"AutoRemove", seen.auto_remove},
                 {"VolumesFrom", service.volumes_from},
                 {"Mounts", own_mounts_json(service)},
                 {"Devices", devices_json(service)},
                 {"CgroupnsMode", service.cgroup.empty() ? "private" : service.cgroup},
                 {"Tmpfs", tmpfs_json(service)},
                 {"ShmSize", service.shm_size.value_or(default_shm)},
                 {"Privileged", service.privileged},
                 {"ReadonlyRootfs", service.read_only},
                 {"Init", service.init},
                 {"CapAdd", service.cap_add},
                 {"CapDrop", service.cap_drop},
                 {"SecurityOpt", service.security_opt},
                 {"GroupAdd", service.group_add},
                 {"Annotations", service.annotations},
                 {"Dns", service.dns},
                 {"DnsOptions", service.dns_opt},
                 {"DnsSearch", service.dns_search},
                 {"ExtraHosts", extra_hosts_of(service)},
                 {"Sysctls", service.sysctls},
                 {"Ulimits", ulimits_json(service)},
                 {"OomScoreAdj", service.oom_score_adj.value_or(0)},
                 {"PidMode", service.pid},
                 {"IpcMode", service.ipc},
                 {"UTSMode", service.uts},
                 {"UsernsMode", service.userns_mode},
                 {"LogConfig",
                  {{"Type", service.logging.driver.empty() ? "json-file" : service.logging.driver},
                   {"Config", service.logging.options}}}};
    host.update(limits_json(service.resources));
    return host;
}

/// What docker has as keys of a map.
Json set_of(const Strings& words) {
    Json set = Json::object();
    for (const auto& word : words)
        set[word] = Json::object();
    return set;
}

Json exposed_json(const runtime::ContainerRecord& record, const ObservedContainer& seen) {
    Json ports = Json::object();
    for (const auto& port : seen.ports)
        ports[target_text(port)] = Json::object();
    for (const auto& port : runtime::exposed_ports(seen.service_config, record.image.config))
        ports[target_text({"", 0, port.target, port.protocol})] = Json::object();
    return ports;
}

Json healthcheck_json(const Healthcheck& check) {
    const auto nanoseconds = [](const std::optional<Duration>& time) {
        return time.value_or(Duration::zero()).count();
    };
    return {{"Test", check.test},
            {"Interval", nanoseconds(check.interval)},
            {"Timeout", nanoseconds(check.timeout)},
            {"StartPeriod", nanoseconds(check.start_period)},
            {"StartInterval", nanoseconds(check.start_interval)},
            {"Retries", check.retries.value_or(0)}};
}

/// What nobody has said is not there, as docker has it.
void add_life(Json& config, const Service& service, const ImageConfig& image) {
    if (const auto check = runtime::healthcheck_for(service, image))
        config["Healthcheck"] = healthcheck_json(*check);
    else if (service.healthcheck && service.healthcheck->disabled)
        config["Healthcheck"] = {{"Test", {"NONE"}}};
    if (service.stop_grace_period)
        config["StopTimeout"] =
            std::chrono::duration_cast<std::chrono::seconds>(*service.stop_grace_period).count();
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
    const bool attached = record.spec.await_client;  // by who made it
    Json config = {
        {"Hostname", service.hostname.empty() ? seen.id.substr(0, 12) : service.hostname},
        {"Domainname", service.domainname},
        {"User", service.user.empty() ? image.user : service.user},
        {"Tty", service.tty},
        {"OpenStdin", service.stdin_open},
        {"StdinOnce", attached && service.stdin_open},
        {"AttachStdin", attached && service.stdin_open},
        {"AttachStdout", attached},
        {"AttachStderr", attached},
        {"OnBuild", nullptr},
        {"Env", environment},
        {"Entrypoint", service.entrypoint.value_or(image.entrypoint)},
        {"Cmd", service.command.value_or(service.entrypoint ? Strings() : image.command)},
        {"Image", seen.image},
        {"ExposedPorts", exposed_json(record, seen)},
        {"Volumes", set_of(image.volumes)},
        {"WorkingDir", service.working_dir.empty() ? image.working_dir : service.working_dir},
        {"StopSignal", service.stop_signal.empty() ? image.stop_signal : service.stop_signal},
        {"Labels", seen.labels}};
    add_life(config, service, image);
    return config;
}

/// Its root file system. Merged it is where its processes are, and nowhere else.
Json graph_json(const runtime::ContainerRecord& record,
                const ObservedContainer& seen,
                const InspectDetails& details) {
    Json data = {{"LowerDir", join(record.image.lowers, ":")}};
    for (const auto& [key, name] : {std::pair("UpperDir", "upper"), std::pair("WorkDir", "work")})
        if (const auto path = details.files.find(name); path != details.files.end())
            data[key] = path->second;
    if (is_up(seen))
        data["MergedDir"] = "/proc/" + std::to_string(seen.pid) + "/root";
    return {{"Name", "overlay2"}, {"Data", data}};
}

Json network_json(const ObservedContainer& seen,
                  const ObservedAddress& address,
                  const InspectDetails& details) {
    Json json = {
        {"Aliases", Json::array()},
        {"NetworkID", ""},
        {"EndpointID", ""},
        {"Gateway", ""},
        {"IPPrefixLen", 0},
        {"IPv6Gateway", ""},
        {"GlobalIPv6PrefixLen", 0},
        {"IPAddress", address.ipv4},
        {"GlobalIPv6Address", address.ipv6},
        {"MacAddress", mac_of(seen.service_config, address.network, address.ipv4, address.ipv6)}};
    const auto attachment = seen.service_config->networks.find(address.network);
    if (attachment != seen.service_config->networks.end())
        json["Aliases"] = attachment->second.aliases;
    const auto length = [](const std::string& subnet) {
        return parse_number<int>(split_once(subnet, '/').second).value_or(0);
    };
    if (const auto found = details.networks.find(address.network);
        found != details.networks.end()) {
        const auto& network = found->second.record;
        json["NetworkID"] = found->second.id;
        if (!address.ipv4.empty() || !address.ipv6.empty())
            json["EndpointID"] = sha256_hex(seen.id + "@" + found->second.id);
        if (!address.ipv4.empty()) {
            json["Gateway"] = network.gateway4;
            json["IPPrefixLen"] = length(network.subnet4);
        }
        if (!address.ipv6.empty()) {
            json["IPv6Gateway"] = network.gateway6;
            json["GlobalIPv6PrefixLen"] = length(network.subnet6);
        }
    }
    return json;
}

/// One that does not run has its networks, and nothing in them.
Json network_settings_json(const ObservedContainer& seen, const InspectDetails& details) {
    Json networks = Json::object();
    for (const auto& [name, attachment] : seen.service_config->networks) {
        networks[name] = network_json(seen, {.network = name, .ipv4 = "", .ipv6 = ""}, details);
        networks[name]["MacAddress"] = attachment.mac_address;
    }
    for (const auto& address : seen.addresses)
        networks[address.network] = network_json(seen, address, details);
    Json settings = {{"Ports", ports_json(seen)}, {"Networks", networks}};
    settings["SandboxKey"] = is_up(seen) ? "/proc/" + std::to_string(seen.pid) + "/ns/net" : "";
    const Json first =
        seen.addresses.empty() ? Json::object() : networks[seen.addresses.front().network];
    for (const auto* key : {"IPAddress", "Gateway", "MacAddress", "GlobalIPv6Address"})
        settings[key] = first.value(key, "");
    settings["IPPrefixLen"] = first.value("IPPrefixLen", 0);
    return settings;
}

}  // namespace

Json inspect_json(const runtime::ContainerRecord& record,
                  const ObservedContainer& seen,
                  const InspectDetails& details) {
    const Strings& words = seen.command;
    Json json = {{"Id", seen.id},
                 {"Created", time_text(seen.created)},
                 {"Path", words.empty() ? "" : words.front()},
                 {"Args", words.empty() ? Strings() : Strings(words.begin() + 1, words.end())},
                 {"State", state_json(seen, details)},
                 {"Image", seen.image_id},
                 {"Name", "/" + seen.name},
                 {"RestartCount", seen.restarts},
                 {"LogPath", details.log_path},
                 {"Platform", "linux"},
                 {"Driver", "overlay2"},
                 {"GraphDriver", graph_json(record, seen, details)},
                 {"HostConfig", host_json(seen)},
                 {"Mounts", mounts_json(seen, details.volumes)},
                 {"Config", config_json(record, seen)},
                 {"NetworkSettings", network_settings_json(seen, details)}};
    for (const auto& [key, name] : {std::pair("HostsPath", "hosts"),
                                    std::pair("HostnamePath", "hostname"),
                                    std::pair("ResolvConfPath", "resolv.conf")}) {
        const auto path = details.files.find(name);
        json[key] = path == details.files.end() ? "" : path->second;  // made at its first start
    }
    if (details.size) {
        json["SizeRw"] = details.size->written;
        json["SizeRootFs"] = details.size->written + details.size->image;
    }
    return json;
}

}  // namespace stack::cli
