#include "engine/runtime/description.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/network/names.h"
#include "engine/runtime/process.h"
#include "engine/storage/volumes.h"
#include "sys/file.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace stack::runtime {

Strings masked_paths() {
    Strings paths{"/proc/acpi",
                  "/proc/asound",
                  "/proc/interrupts",
                  "/proc/kcore",
                  "/proc/keys",
                  "/proc/latency_stats",
                  "/proc/sched_debug",
                  "/proc/scsi",
                  "/proc/timer_list",
                  "/proc/timer_stats",
                  "/sys/devices/virtual/powercap",
                  "/sys/firmware",
                  "/sys/fs/selinux"};
    static const Strings throttles = [] {
        Strings found;
        for (const auto& name : sys::list_directory("/sys/devices/system/cpu")) {
            const std::string path = "/sys/devices/system/cpu/" + name + "/thermal_throttle";
            if (name.starts_with("cpu") && sys::is_directory(path))
                found.push_back(path);
        }
        return found;
    }();
    paths.insert(paths.end(), throttles.begin(), throttles.end());
    return paths;
}

Strings read_only_paths() {
    return {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
}

namespace {

/// However it is written: `/data/` is `/data`.
std::string place_of(const std::string& target) {
    std::string place = std::filesystem::path(target).lexically_normal().string();
    while (place.size() > 1 && place.ends_with('/'))
        place.pop_back();
    return place;
}

bool has_target(const std::vector<Mount>& mounts, const std::string& target) {
    return std::any_of(mounts.begin(), mounts.end(), [&](const Mount& mount) {
        return place_of(mount.target) == place_of(target);
    });
}

Mount tmpfs_mount(const std::string& text) {
    const auto [target, options] = split_once(text, ':');
    Mount mount;
    mount.type = MountType::tmpfs;
    mount.target = target;
    mount.source = options;  // as the kernel takes them
    return mount;
}

std::string tmpfs_options(const Mount& mount) {
    Strings options;
    if (!mount.source.empty())
        options.push_back(mount.source);
    if (mount.tmpfs_size)
        options.push_back("size=" + std::to_string(*mount.tmpfs_size));
    if (mount.tmpfs_mode) {
        std::string octal;
        for (std::uint32_t rest = *mount.tmpfs_mode; rest != 0; rest >>= 3U)
            octal.insert(octal.begin(), static_cast<char>('0' + (rest & 7U)));
        options.push_back("mode=" + octal);
    }
    return join(options, ",");
}

}  // namespace

std::vector<Mount> mounts_for(const ContainerSpec& spec,
                              const ImageConfig& image,
                              const std::vector<Mount>& lent) {
    std::vector<Mount> mounts = spec.service.volumes;
    for (const auto& text : spec.service.tmpfs)
        mounts.push_back(tmpfs_mount(text));
    for (const auto& mount : lent)
        if (!has_target(mounts, mount.target))
            mounts.push_back(mount);
    for (const auto& target : image.volumes)
        if (!has_target(mounts, target))
            mounts.push_back({.type = MountType::volume, .target = target});
    for (auto& mount : mounts)
        if (mount.type == MountType::volume && mount.source.empty())
            mount.source =
                storage::anonymous_volume_name(spec.name, mount.target, spec.anonymous_salt);
    // A mount below another comes after it.
    std::stable_sort(mounts.begin(), mounts.end(), [](const Mount& a, const Mount& b) {
        return std::count(a.target.begin(), a.target.end(), '/') <
               std::count(b.target.begin(), b.target.end(), '/');
    });
    return mounts;
}

StringMap labels_for(const ContainerRecord& record) {
    const std::string prefix = "com.docker.compose.";
    StringMap labels;
    // An image belongs to no stack, whatever it says: to tools these labels are orders
    // (CVE-2026-53488).
    for (const auto& [name, value] : record.image.config.labels)
        if (!name.starts_with(prefix))
            labels[name] = value;
    for (const auto& [name, value] : record.spec.service.labels)
        labels[name] = value;
    if (record.spec.project.empty() || record.spec.project == single_containers)
        return labels;
    labels[prefix + "project"] = record.spec.project;
    labels[prefix + "service"] = record.spec.service.name;
    labels[prefix + "container-number"] = std::to_string(record.spec.number);
    labels[prefix + "oneoff"] = record.spec.oneoff ? "True" : "False";
    labels[prefix + "config-hash"] = record.spec.config_digest;
    labels[prefix + "image"] = record.image.id;
    labels[prefix + "project.working_dir"] = record.spec.working_dir;
    labels[prefix + "project.config_files"] = join(record.spec.files, ",");
    return labels;
}

namespace {

/// Of /etc/hosts: what the container's own name leads to.
std::string own_lines(const ContainerRecord& record,
                      const std::vector<network::Endpoint>& endpoints) {
    std::string text;
    for (const auto& endpoint : endpoints)
        for (const auto& address : {endpoint.address4, endpoint.address6})
            if (!address.empty())
                text += split_once(address, '/').first + "\t" +
                        hostname_for(record.spec.service, record.id) + "\n";
    return text;
}

}  // namespace

std::string hosts_file(const ContainerRecord& record,
                       const std::vector<network::Endpoint>& endpoints) {
    std::string text =
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost "
        "ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n"
        "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";
    text += own_lines(record, endpoints);
    std::string gateway;
    for (const auto& endpoint : endpoints)
        if (gateway.empty() && endpoint.driver.empty())  // else it is not this host's
            gateway = endpoint.gateway4;
    for (const auto& [host, addresses] : record.spec.service.extra_hosts)
        for (const auto& address : addresses)
            text += (address == "host-gateway" ? gateway : address) + "\t" + host + "\n";
    return text;
}

std::string with_own_addresses(const std::string& hosts,
                               const ContainerRecord& record,
                               const std::vector<network::Endpoint>& endpoints) {
    const std::string own_name = "\t" + hostname_for(record.spec.service, record.id);
    std::string text;
    for (const auto& line : split(hosts, '\n'))
        if (!line.empty() && !line.ends_with(own_name))
            text += line + "\n";
    return text + own_lines(record, endpoints);
}

shim::InterfaceSpec interface_spec(const network::Endpoint& endpoint) {
    shim::InterfaceSpec spec;
    spec.kind = endpoint.driver;
    spec.mode = endpoint.mode;
    spec.bridge = endpoint.bridge_index;
    spec.group = endpoint.group;
    spec.host_name = endpoint.host_name;
    spec.name = endpoint.name;
    spec.alias = endpoint.alias;
    spec.mac = endpoint.mac;
    spec.address4 = endpoint.address4;
    spec.address6 = endpoint.address6;
    spec.link_local = endpoint.link_local;
    spec.gateway4 = endpoint.gateway4;
    spec.gateway6 = endpoint.gateway6;
    spec.mtu = static_cast<std::uint32_t>(endpoint.mtu);
    return spec;
}

std::string forward_target(const network::Endpoint& endpoint) {
    if (endpoint.internal)
        return {};
    const auto& address = endpoint.address4.empty() ? endpoint.address6 : endpoint.address4;
    return split_once(address, '/').first;
}

const network::Endpoint* find_published(const std::vector<network::Endpoint>& endpoints) {
    const network::Endpoint* first = nullptr;
    for (const auto& endpoint : endpoints) {
        if (!endpoint.driver.empty())
            continue;
        if (!endpoint.gateway4.empty() || !endpoint.gateway6.empty())
            return &endpoint;
        if (first == nullptr)
            first = &endpoint;
    }
    return first;
}

namespace {

/// The address on a `nameserver` line; nullopt of another one.
std::optional<std::string> server_on(const std::string& line) {
    const auto [word, rest] = split_once(replace_all(line, "\t", " "), ' ');
    return word == "nameserver" ? std::optional<std::string>(trim(rest)) : std::nullopt;
}

bool is_on_loopback(const std::string& server) {
    return server.starts_with("127.") || server == "::1";
}

}  // namespace

bool has_reachable_server(const std::string& resolv_conf) {
    for (const auto& line : split(resolv_conf, '\n'))
        if (const auto server = server_on(line); server && !is_on_loopback(*server))
            return true;
    return false;
}

std::string with_reachable_servers(const std::string& resolv_conf) {
    std::string text;
    for (const auto& line : split(resolv_conf, '\n')) {
        const auto server = server_on(line);
        if (!line.empty() && !(server && is_on_loopback(*server)))
            text += line + "\n";
    }
    return has_reachable_server(text) ? text : text + "nameserver 8.8.8.8\nnameserver 8.8.4.4\n";
}

Strings host_servers() {
    Strings servers;
    for (const auto& line : split(sys::read_file("/etc/resolv.conf").value_or(""), '\n'))
        if (const auto [word, rest] = split_once(line, ' '); word == "nameserver")
            servers.emplace_back(trim(rest));
    return servers;
}

/// The last line of them counts (resolv.conf(5)).
Strings host_search() {
    Strings domains;
    for (const auto& line : split(sys::read_file("/etc/resolv.conf").value_or(""), '\n'))
        if (const auto [word, rest] = split_once(line, ' '); word == "search" || word == "domain")
            domains = split(trim(rest), ' ');
    std::erase(domains, "");
    return domains;
}

std::string resolv_conf(const ContainerRecord& record,
                        const std::vector<network::Endpoint>& endpoints) {
    const Service& service = record.spec.service;
    std::string text;
    const bool is_answered = std::any_of(
        endpoints.begin(), endpoints.end(), [](const auto& one) { return !one.resolver.empty(); });
    // Without a stack there are no names of services to ask the network for.
    const bool asks_others = record.spec.project == single_containers && !service.dns.empty();
    std::map<network::ResolverRank, std::string> resolvers;
    std::set<network::ResolverRank> ranks;
    for (const auto& endpoint : endpoints)
        if (!endpoint.resolver.empty() && !asks_others) {
            const auto rank = network::resolver_rank(endpoint.internal, endpoint.network);
            resolvers[rank] = endpoint.resolver;
            ranks.insert(rank);
        }
    for (const auto& rank : network::asked_resolvers(std::move(ranks)))
        text += "nameserver " + resolvers[rank] + "\n";
    // Behind the networks' servers only one of the container's own, which they cannot ask for it.
    const bool lists_own = asks_others || !is_answered || network::asks_itself(service.dns);
    Strings servers = lists_own ? service.dns : Strings();
    if (servers.empty() && !is_answered && !endpoints.empty()) {
        servers = host_servers();
        std::erase_if(servers, is_on_loopback);  // nobody is there in its namespace
    }
    for (const auto& server : servers)
        text += "nameserver " + server + "\n";
    // As Docker: the host's, unless the service has its own; "." stands for none.
    const Strings search = service.dns_search.empty() ? host_search() : service.dns_search;
    if (!search.empty() && search != Strings{"."})
        text += "search " + join(search, " ") + "\n";
    // On a network, a name without a dot is asked for as it is first: it may be a service's.
    const bool has_dots =
        std::any_of(service.dns_opt.begin(), service.dns_opt.end(), [](const auto& option) {
            return option.starts_with("ndots:");
        });
    Strings options = service.dns_opt;
    if (!has_dots && !endpoints.empty())
        options.insert(options.begin(), "ndots:0");
    return options.empty() ? text : text + "options " + join(options, " ") + "\n";
}

std::vector<shim::MountSpec> mount_specs(
    const std::vector<Mount>& mounts, const std::function<shim::MountSpec(const Mount&)>& volume) {
    std::vector<shim::MountSpec> specs;
    for (const auto& mount : mounts) {
        shim::MountSpec spec;
        switch (mount.type) {
            case MountType::bind:
                spec.source = mount.source;
                spec.propagation = mount.propagation;
                break;
            case MountType::tmpfs:
                spec.kind = shim::MountKind::tmpfs;
                spec.options = tmpfs_options(mount);
                break;
            case MountType::volume:
            case MountType::image:
                spec = volume(mount);
                break;
        }
        // As a person reads it: a ".." in a target is not a walk through the image.
        spec.target = std::filesystem::path(mount.target).lexically_normal().string();
        spec.read_only = mount.read_only ? 1 : 0;
        specs.push_back(std::move(spec));
    }
    return specs;
}

shim::NamespaceSpec namespace_for(const std::string& mode,
                                  const char* kind,
                                  const std::function<int(const std::string&)>& pid_of) {
    if (mode == "host")
        return {shim::Sharing::host, ""};
    if (!mode.starts_with("service:") && !mode.starts_with("container:"))
        return {};
    const int pid = pid_of(mode);
    if (pid == 0)
        throw Error(
            std::make_error_code(std::errc::no_such_process),
            "its " + std::string(kind) + " namespace is that of " + mode + ", which does not run");
    return {shim::Sharing::joined, "/proc/" + std::to_string(pid) + "/ns/" + kind};
}

}  // namespace stack::runtime
