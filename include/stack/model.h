#pragma once

// What the user wants, as plain values: a stack, its services, networks, volumes, secrets and
// configs.
//
// The attributes and their meaning are the Compose Specification's; a value that the file does not
// set is an empty optional, an empty string or an empty container. Nothing here does anything:
// values are compared, printed (model/json.h) and hashed (model/digest.h).

#include <stack/boxed.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stack {

using Bytes = std::int64_t;
using Duration = std::chrono::nanoseconds;
using StringMap = std::map<std::string, std::string>;
using Strings = std::vector<std::string>;

enum class Protocol { tcp, udp, sctp };

/// A published port. `published` is empty (any free port), a number, or a range "8000-8010" to pick
/// one from.
struct Port {
    std::string host_ip;  // empty: all addresses, IPv4 and IPv6
    std::string published;
    std::uint16_t target = 0;
    Protocol protocol = Protocol::tcp;
    std::string mode = "ingress";
    std::string name;
    std::string app_protocol;

    bool operator==(const Port&) const = default;
};

enum class MountType { volume, bind, tmpfs, image };

/// A mount of a container. `source` is a volume's key (after resolution: its real name), a host
/// path, an image reference, or empty for an anonymous volume and for tmpfs.
struct Mount {
    MountType type = MountType::volume;
    std::string source;
    std::string target;
    bool read_only = false;
    // bind
    std::string propagation;
    bool create_host_path = true;
    std::string selinux;
    std::string recursive;  // "", enabled, disabled, writable, readonly
    // volume and image
    bool nocopy = false;
    std::string subpath;
    StringMap labels;
    // tmpfs
    std::optional<Bytes> tmpfs_size;
    std::optional<std::uint32_t> tmpfs_mode;

    bool operator==(const Mount&) const = default;
};

/// A service's use of a secret or config. `content` is filled in by resolution (never printed).
struct FileReference {
    std::string source;
    std::string target;
    std::string uid;
    std::string gid;
    std::optional<std::uint32_t> mode;

    bool operator==(const FileReference&) const = default;
};

/// `test`: CMD, CMD-SHELL, NONE, HTTP or TCP with its words (native_probe.h); empty: the image's.
struct Healthcheck {
    Strings test;
    std::optional<Duration> interval;        // default 30 s
    std::optional<Duration> timeout;         // default 30 s
    std::optional<Duration> start_period;    // default 0 s
    std::optional<Duration> start_interval;  // default 5 s
    std::optional<int> retries;              // default 3
    bool disabled = false;

    bool operator==(const Healthcheck&) const = default;
};

enum class RestartCondition { no, on_failure, always, unless_stopped };

struct RestartPolicy {
    RestartCondition condition = RestartCondition::no;
    std::optional<int> max_attempts;  // none: without end
    std::optional<Duration> delay;    // none: the back-off of supervise/restart.h
    std::optional<Duration> window;

    bool operator==(const RestartPolicy&) const = default;
};

enum class DependencyCondition { started, healthy, completed_successfully };

struct Dependency {
    DependencyCondition condition = DependencyCondition::started;
    bool restart = false;
    bool required = true;

    bool operator==(const Dependency&) const = default;
};

struct Ulimit {
    std::int64_t soft = 0;  // -1: unlimited
    std::int64_t hard = 0;

    bool operator==(const Ulimit&) const = default;
};

struct BuildSecret {
    std::string source;  // an absolute path of the host, or the name of a variable
    std::string target;  // its id; empty: the source is
    std::optional<std::string> content;  // the secret itself, where the stack's loading has found
                                         // it: the environment of who builds is another one

    bool operator==(const BuildSecret&) const = default;
};

/// How a service's image is made. Paths are absolute after loading, unless they are URLs.
struct Build {
    std::string context;
    std::string dockerfile;  // empty: `Dockerfile`
    std::string dockerfile_inline;
    std::map<std::string, std::optional<std::string>>
        args;  // nullopt: not set, unset in the environment
    std::string target;
    StringMap labels;
    Strings tags;
    Strings cache_from;
    Strings cache_to;
    StringMap additional_contexts;
    std::string network;
    std::map<std::string, Strings> extra_hosts;
    std::optional<Bytes> shm_size;
    std::map<std::string, Ulimit> ulimits;
    Strings platforms;
    std::vector<BuildSecret> secrets;
    Strings ssh;
    Strings entitlements;
    std::string isolation;
    bool no_cache = false;
    Strings no_cache_filter;  // the same for these stages only
    bool pull = false;
    bool privileged = false;

    bool operator==(const Build&) const = default;
};

/// How a service is attached to one network.
struct NetworkAttachment {
    Strings aliases;
    std::string ipv4_address;
    std::string ipv6_address;
    std::string mac_address;
    std::string interface_name;
    Strings link_local_ips;
    StringMap driver_opts;
    int priority = 0;
    int gw_priority = 0;

    bool operator==(const NetworkAttachment&) const = default;
};

struct Logging {
    std::string
        driver;  // empty: json-file, which means our own bounded files; "none": nothing is kept
    StringMap options;  // max-size, max-file, mode

    bool operator==(const Logging&) const = default;
};

struct Device {
    std::string source;
    std::string target;
    std::string permissions = "rwm";

    bool operator==(const Device&) const = default;
};

struct DeviceRequest {
    std::string driver;
    std::optional<int> count;  // -1: all
    Strings device_ids;
    Strings capabilities;
    StringMap options;

    bool operator==(const DeviceRequest&) const = default;
};

struct BlkioWeight {
    std::string path;
    std::uint16_t weight = 0;

    bool operator==(const BlkioWeight&) const = default;
};

struct BlkioRate {
    std::string path;
    std::uint64_t rate = 0;  // bytes or operations per second

    bool operator==(const BlkioRate&) const = default;
};

struct Blkio {
    std::uint16_t weight = 0;
    std::vector<BlkioWeight> weight_device;
    std::vector<BlkioRate> device_read_bps;
    std::vector<BlkioRate> device_write_bps;
    std::vector<BlkioRate> device_read_iops;
    std::vector<BlkioRate> device_write_iops;

    bool operator==(const Blkio&) const = default;
};

/// The limits that cgroups enforce. They can be changed while the container runs.
struct Resources {
    std::optional<double> cpus;
    std::optional<std::int64_t> cpu_shares;
    std::optional<std::int64_t> cpu_quota;   // microseconds
    std::optional<std::int64_t> cpu_period;  // microseconds
    std::optional<std::int64_t> cpu_rt_runtime;
    std::optional<std::int64_t> cpu_rt_period;
    std::string cpuset;
    std::string cpuset_mems;  // memory nodes
    std::optional<Bytes> memory;
    std::optional<Bytes> memory_reservation;
    std::optional<Bytes> memory_swap;  // memory and swap together; -1: unlimited
    std::optional<int> memory_swappiness;
    std::optional<std::int64_t> pids;  // -1: unlimited
    std::optional<double> reserved_cpus;
    bool oom_kill_disable = false;
    Blkio blkio;

    bool operator==(const Resources&) const = default;
};

struct UpdateConfig {
    std::optional<int> parallelism;
    std::optional<Duration> delay;
    std::optional<Duration> monitor;
    std::string failure_action;
    std::string order;  // stop-first, start-first
    std::optional<double> max_failure_ratio;

    bool operator==(const UpdateConfig&) const = default;
};

struct Hook {
    Strings command;
    std::string image;
    std::string user;
    std::string working_dir;
    std::map<std::string, std::optional<std::string>> environment;
    bool privileged = false;
    bool per_replica = false;

    bool operator==(const Hook&) const = default;
};

struct WatchRule {
    std::string path;
    std::string action;
    std::string target;
    Strings ignore;
    Strings include;
    std::optional<Hook> exec;
    bool initial_sync = false;

    bool operator==(const WatchRule&) const = default;
};

struct EnvFile {
    std::string path;
    std::string format;
    bool required = true;

    bool operator==(const EnvFile&) const = default;
};

struct Provider {
    std::string type;
    std::map<std::string, Strings> options;

    bool operator==(const Provider&) const = default;
};

struct Service {
    std::string name;

    // image and process
    std::string image;
    BoxedOptional<Build> build;
    std::string pull_policy;  // always, never, missing, build, daily, weekly, every_<duration>
    std::string platform;
    std::optional<Strings> command;                                 // nullopt: the image's
    std::optional<Strings> entrypoint;                              // nullopt: the image's
    std::map<std::string, std::optional<std::string>> environment;  // nullopt: removes the image's
    std::vector<EnvFile> env_file;
    std::string working_dir;
    std::string user;
    Strings group_add;
    bool tty = false;
    bool stdin_open = false;
    bool init = false;
    std::string stop_signal;
    std::optional<Duration> stop_grace_period;

    // identity
    std::string container_name;
    std::string hostname;
    std::string domainname;
    StringMap labels;
    Strings label_file;
    StringMap annotations;
    Strings profiles;

    // network
    std::vector<Port> ports;
    Strings expose;
    std::map<std::string, NetworkAttachment> networks;  // by the network's key in the stack
    std::string network_mode;  // "", none, host, bridge, service:X, container:X
    std::string mac_address;
    std::map<std::string, Strings> extra_hosts;
    Strings dns;
    Strings dns_search;
    Strings dns_opt;
    Strings links;
    Strings external_links;

    // files
    std::vector<Mount> volumes;
    Strings volumes_from;
    Strings tmpfs;  // path[:options]
    std::vector<FileReference> secrets;
    std::vector<FileReference> configs;
    bool read_only = false;
    std::optional<Bytes> shm_size;
    StringMap storage_opt;

    // isolation
    bool privileged = false;
    Strings cap_add;
    Strings cap_drop;
    Strings security_opt;
    std::string seccomp_profile;  // what the file of seccomp=FILE held at loading; "": the default
    std::vector<Device> devices;
    Strings device_cgroup_rules;
    std::vector<DeviceRequest> device_requests;
    std::map<std::string, Ulimit> ulimits;
    StringMap sysctls;
    std::string pid;
    std::string ipc;
    std::string uts;
    std::string cgroup;
    std::string cgroup_parent;
    std::string userns_mode;
    std::string runtime;
    std::optional<int> oom_score_adj;
    Resources resources;

    // life
    std::map<std::string, Dependency> depends_on;
    std::optional<Healthcheck> healthcheck;
    RestartPolicy restart;
    std::optional<int> scale;
    UpdateConfig update_config;
    UpdateConfig rollback_config;
    std::vector<Hook> pre_start;
    std::vector<Hook> post_start;
    std::vector<Hook> pre_stop;
    Logging logging;
    bool attach = true;
    std::vector<WatchRule> watch;
    BoxedOptional<Provider> provider;
    Strings models;
    bool restart_unhealthy = false;  // x-stack: {on-unhealthy: restart}

    bool operator==(const Service&) const = default;
};

struct IpamPool {
    std::string subnet;
    std::string gateway;
    std::string ip_range;
    StringMap aux_addresses;

    bool operator==(const IpamPool&) const = default;
};

struct Network {
    std::string key;   // in the file
    std::string name;  // in the world: <stack>_<key> unless the file names it
    std::string driver;
    StringMap driver_opts;
    std::string ipam_driver;
    std::vector<IpamPool> ipam;
    StringMap labels;
    bool external = false;
    bool internal = false;
    bool attachable = false;
    bool enable_ipv4 = true;
    bool enable_ipv6 = false;

    bool operator==(const Network&) const = default;
};

struct Volume {
    std::string key;
    std::string name;
    std::string driver;
    StringMap driver_opts;
    StringMap labels;
    bool external = false;

    bool operator==(const Volume&) const = default;
};

/// A secret or config: exactly one of file, environment, content (configs) or external is its
/// source.
struct FileSource {
    std::string key;
    std::string name;
    std::string file;
    std::string digest;  // of what `file` held at loading; "": nobody looked
    std::string environment;
    std::optional<std::string> content;  // inline text, or what `environment` held at loading
    StringMap labels;
    bool external = false;

    bool operator==(const FileSource&) const = default;
};

struct Stack {
    std::string name;
    std::string working_dir;
    Strings files;  // absolute paths of the stack files, in order
    bool all_resources = false;  // networks and volumes that no service uses are made, too
    std::map<std::string, Service> services;
    std::map<std::string, Network> networks;
    std::map<std::string, Volume> volumes;
    std::map<std::string, FileSource> secrets;
    std::map<std::string, FileSource> configs;
    /// Names of services that exist in the file but whose profile is not active.
    Strings disabled_services;

    bool operator==(const Stack&) const = default;
};

}  // namespace stack
