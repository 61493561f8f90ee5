#pragma once

// What `container run` and `container create` are told of the container: docker's options.

#include <stack/model.h>

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace stack::cli {

struct SingleOptions {
    std::string image;
    Strings command;

    // process
    std::string name;
    std::optional<std::string> entrypoint;  // empty: none, also where the image has one
    Strings environment;
    Strings env_files;
    std::string user;
    Strings groups;
    std::string working_dir;
    bool interactive = false;
    bool terminal = false;
    bool init = false;
    std::string stop_signal;
    std::optional<int> stop_timeout;
    std::string restart;
    bool remove = false;
    std::string pull = "missing";
    std::string platform;

    // identity
    std::string hostname;
    std::string domainname;
    Strings labels;
    Strings label_files;
    Strings annotations;

    // network
    Strings networks;
    Strings aliases;
    std::string ip;
    std::string ip6;
    std::string mac_address;
    Strings ports;
    bool publish_all = false;
    Strings expose;
    Strings extra_hosts;
    Strings links;  // NAME[:ALIAS] of other containers
    Strings dns;
    Strings dns_search;
    Strings dns_options;

    // files
    Strings volumes;
    Strings mounts;
    Strings volumes_from;
    Strings tmpfs;
    bool read_only = false;
    std::string shm_size;

    // isolation
    bool privileged = false;
    Strings cap_add;
    Strings cap_drop;
    Strings security_options;
    Strings devices;
    Strings device_rules;
    Strings gpus;
    Strings sysctls;
    std::string pid;
    std::string ipc;
    std::string uts;
    std::string cgroup;
    std::string userns;
    std::string cgroup_parent;

    // limits
    std::string memory;
    std::string memory_reservation;
    std::string memory_swap;
    std::string memory_swappiness;
    std::string cpus;
    std::string cpu_shares;
    std::string cpu_period;
    std::string cpu_quota;
    std::string cpu_rt_period;
    std::string cpu_rt_runtime;
    std::string cpuset;
    std::string cpuset_mems;
    std::string pids;
    std::string oom_score_adj;
    bool oom_kill_disable = false;
    Strings ulimits;
    std::string blkio_weight;
    Strings blkio_weight_devices;  // DEVICE:NUMBER, as the four below
    Strings read_bps;
    Strings write_bps;
    Strings read_iops;
    Strings write_iops;

    // life
    std::string health_command;
    std::string health_interval;
    std::string health_timeout;
    std::string health_start_period;
    std::string health_start_interval;
    std::string health_retries;
    bool no_healthcheck = false;
    std::string log_driver;
    Strings log_options;

    Strings refusals;  // why options of docker's that were given cannot be
};

/// All of them; those that nothing here can do are declared, too, to be refused with their reasons.
void declare_single_options(CLI::App& app, SingleOptions& options);
/// Those that can change while it runs.
void declare_limits(CLI::App& app, SingleOptions& options);

}  // namespace stack::cli
