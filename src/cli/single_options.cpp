#include "cli/single_options.h"

#include "cli/cli11.h"
#include "cli/options.h"

#include <array>

namespace stack::cli {
namespace {

void add_list(CLI::App& app, const char* names, Strings& list, const char* help) {
    app.add_option(names, list, help)->allow_extra_args(false);
}

void declare_process(CLI::App& app, SingleOptions& options) {
    app.add_option("--name", options.name, "Name of the container (default: a random one)");
    app.add_option("--entrypoint",
                   options.entrypoint,
                   "Run this program instead of the image's entrypoint; \"\" for none");
    add_list(app, "-e,--env", options.environment, "Set a variable: NAME=VALUE, or NAME");
    add_list(app, "--env-file", options.env_files, "Set the variables that a file lists");
    app.add_option("-u,--user", options.user, "Run as USER[:GROUP], names or numbers");
    add_list(app, "--group-add", options.groups, "Be in this group, too");
    app.add_option("-w,--workdir", options.working_dir, "Run in this directory");
    app.add_flag("-i,--interactive", options.interactive, "Pass input on");
    app.add_flag("-t,--tty", options.terminal, "With a terminal");
    app.add_flag("--init", options.init, "With a small first process that reaps and forwards");
    app.add_option("--stop-signal", options.stop_signal, "The signal that asks it to end");
    app.add_option("--stop-timeout", options.stop_timeout, "Seconds before it is killed");
    app.add_option("--restart",
                   options.restart,
                   "Start it again: no, on-failure[:TIMES], always, unless-stopped");
    app.add_flag("--rm", options.remove, "Remove it, and its anonymous volumes, when it has ended");
    app.add_option("--pull", options.pull, "Pull the image: always, missing (default) or never")
        ->check(CLI::IsMember({"always", "missing", "never"}));
    app.add_option("--platform", options.platform, "os/architecture of the image")
        ->envname("DOCKER_DEFAULT_PLATFORM");
    app.add_option("--hostname,-h", options.hostname, "Its own host name");
    app.add_option("--domainname", options.domainname, "Its own domain name");
    add_list(app, "-l,--label", options.labels, "Set a label: NAME=VALUE");
    add_list(app, "--label-file", options.label_files, "Set the labels that a file lists");
    add_list(app, "--annotation", options.annotations, "Set an annotation: NAME=VALUE");
}

void declare_network(CLI::App& app, SingleOptions& options) {
    add_list(app,
             "--network,--net",
             options.networks,
             "none, host, container:NAME, or the name of a network (default: bridge), also as "
             "name=NAME,alias=…,ip=…");
    add_list(
        app, "--network-alias,--net-alias", options.aliases, "Another name for it in its networks");
    app.add_option("--ip", options.ip, "Its IPv4 address in its network");
    app.add_option("--ip6", options.ip6, "Its IPv6 address in its network");
    app.add_option("--mac-address", options.mac_address, "Its MAC address");
    add_list(app,
             "-p,--publish",
             options.ports,
             "Publish a port: [ADDRESS:][HOST_PORT:]PORT[/udp]; without HOST_PORT, any free one");
    app.add_flag("-P,--publish-all", options.publish_all, "Publish every port the image exposes");
    add_list(app, "--expose", options.expose, "Expose a port, for -P");
    add_list(app, "--add-host", options.extra_hosts, "A line of /etc/hosts: NAME:ADDRESS");
    add_list(app,
             "--link",
             options.links,
             "Another name for a running container of a network of its own: NAME[:ALIAS]; the "
             "address is the one of now");
    add_list(app, "--dns", options.dns, "Ask this name server");
    add_list(app, "--dns-search", options.dns_search, "Search names in this domain");
    add_list(app, "--dns-option,--dns-opt", options.dns_options, "An option of resolv.conf");
}

void declare_files(CLI::App& app, SingleOptions& options) {
    add_list(
        app,
        "-v,--volume",
        options.volumes,
        "Mount a volume or path: [SOURCE:]TARGET[:OPTIONS], such as data:/data or /srv:/srv:ro");
    add_list(app,
             "--mount",
             options.mounts,
             "The same in full: type=bind,source=/srv,target=/srv,readonly");
    add_list(app,
             "--volumes-from",
             options.volumes_from,
             "Mount all volumes and paths that another container has: NAME[:ro]");
    add_list(app, "--tmpfs", options.tmpfs, "Mount a tmpfs: TARGET[:OPTIONS]");
    app.add_flag("--read-only", options.read_only, "Its root file system cannot be written to");
    app.add_option("--shm-size", options.shm_size, "Size of /dev/shm (default 64m)");
}

void declare_isolation(CLI::App& app, SingleOptions& options) {
    app.add_flag("--privileged", options.privileged, "With all rights of root on this machine");
    add_list(app, "--cap-add", options.cap_add, "Add a capability");
    add_list(app, "--cap-drop", options.cap_drop, "Drop a capability, or ALL");
    add_list(app, "--security-opt", options.security_options, "no-new-privileges, seccomp=… …");
    add_list(app,
             "--device",
             options.devices,
             "A device of this machine: SOURCE[:TARGET[:rwm]], or of CDI");
    add_list(app, "--device-cgroup-rule", options.device_rules, "Allow devices by number");
    add_list(app, "--gpus", options.gpus, "GPUs of CDI files: all, a number, device=NAME");
    add_list(app, "--sysctl", options.sysctls, "Set a kernel parameter: NAME=VALUE");
    app.add_option("--pid", options.pid, "Processes of: host, container:NAME");
    app.add_option("--ipc", options.ipc, "Shared memory of: private, host, container:NAME");
    app.add_option("--uts", options.uts, "Host name of: host");
    app.add_option("--cgroupns", options.cgroup, "Control group namespace: private, host");
    app.add_option("--userns", options.userns, "Users: host, or private (auto): its own");
    app.add_option("--cgroup-parent", options.cgroup_parent, "Control group that its own is below")
        ->group("");  // the loader says what becomes of it
}

void declare_life(CLI::App& app, SingleOptions& options) {
    add_list(
        app, "--blkio-weight-device", options.blkio_weight_devices, "DEVICE:WEIGHT, 10 to 1000");
    add_list(app, "--device-read-bps", options.read_bps, "DEVICE:BYTES read a second, at most");
    add_list(
        app, "--device-write-bps", options.write_bps, "DEVICE:BYTES written a second, at most");
    add_list(app, "--device-read-iops", options.read_iops, "DEVICE:READS a second, at most");
    add_list(app, "--device-write-iops", options.write_iops, "DEVICE:WRITES a second, at most");
    app.add_flag("--oom-kill-disable", options.oom_kill_disable, "Not killed when out of memory");
    app.add_option("--oom-score-adj", options.oom_score_adj, "How likely it is killed then");
    add_list(app, "--ulimit", options.ulimits, "A limit of each process: NAME=SOFT[:HARD]");
    app.add_option("--health-cmd", options.health_command, "Command that says whether it is well");
    app.add_option("--health-interval", options.health_interval, "Time between checks (30s)");
    app.add_option("--health-timeout", options.health_timeout, "Longest time of a check (30s)");
    app.add_option("--health-retries", options.health_retries, "Failures that make it unhealthy");
    app.add_option("--health-start-period",
                   options.health_start_period,
                   "Time after the start in which failures do not count");
    app.add_option("--health-start-interval",
                   options.health_start_interval,
                   "Time between checks in that time (5s)");
    app.add_flag("--no-healthcheck", options.no_healthcheck, "Not the image's check either");
    app.add_option("--log-driver", options.log_driver, "json-file (default), local or none");
    add_list(
        app,
        "--log-opt",
        options.log_options,
        "max-size=SIZE, max-file=NUMBER, mode=non-blocking (drop output while the disk is full)");
}

/// What nothing here can do; some of it is nothing that Docker on Linux can. Nobody looks for them
/// in the help.
struct RefusedOption {
    const char* name;
    const char* harmless;  // the value that asks for what is so anyway
    const char* reason;
};

void declare_refused(CLI::App& app, SingleOptions& options) {
    constexpr const char* of_windows = "it is for Windows containers";
    constexpr std::array refused{
        RefusedOption{"--runtime", "runc", "the engine is its own runtime"},
        RefusedOption{"--isolation", "default", of_windows},
        RefusedOption{"--cpu-count", "0", of_windows},
        RefusedOption{"--cpu-percent", "0", of_windows},
        RefusedOption{"--io-maxbandwidth", "0", of_windows},
        RefusedOption{"--io-maxiops", "0", of_windows},
        RefusedOption{"--kernel-memory", "0", "kernels have no such limit any more; see --memory"},
        RefusedOption{"--storage-opt",
                      "",
                      "the writable layer of a container cannot be limited; "
                      "what grows belongs in a volume"},
        RefusedOption{"--volume-driver", "local", "volumes are directories of this machine"},
        RefusedOption{"--link-local-ip", "", "addresses are given by --ip and --ip6"},
    };
    for (const auto& one : refused)
        app.add_option_function<std::string>(
               one.name,
               [&options, one](const std::string& value) {
                   if (value != one.harmless)
                       options.refusals.push_back(std::string(one.name) +
                                                  " is not supported: " + one.reason);
               },
               one.reason)
            ->group("");
    app.add_flag_callback(
           "--use-api-socket",
           [&options] {
               options.refusals.emplace_back(
                   "--use-api-socket is not supported: there is no daemon whose socket it could "
                   "be");
           },
           "")
        ->group("");
    add_accepted_flag(app, "--disable-content-trust", "digests are checked always");
}

}  // namespace

void declare_limits(CLI::App& app, SingleOptions& options) {
    app.add_option("-m,--memory", options.memory, "At most this memory, such as 512m");
    app.add_option("--memory-reservation", options.memory_reservation, "Memory it may count on");
    app.add_option("--memory-swap", options.memory_swap, "Memory and swap together; -1: no limit");
    app.add_option("--memory-swappiness",
                   options.memory_swappiness,
                   "How willingly it is swapped out: 0 to 100");
    app.add_option("--cpus", options.cpus, "At most this many CPUs, such as 1.5");
    app.add_option("-c,--cpu-shares", options.cpu_shares, "Its share of busy CPUs (default 1024)");
    app.add_option("--cpu-period", options.cpu_period, "Microseconds of a scheduling period");
    app.add_option("--cpu-quota", options.cpu_quota, "Microseconds it may run in each");
    app.add_option("--cpu-rt-period", options.cpu_rt_period, "The same of real-time scheduling");
    app.add_option("--cpu-rt-runtime", options.cpu_rt_runtime, "Microseconds of it in each");
    app.add_option("--cpuset-cpus", options.cpuset, "Only on these CPUs, such as 0-1,3");
    app.add_option("--cpuset-mems", options.cpuset_mems, "Only in these memory nodes");
    app.add_option("--blkio-weight", options.blkio_weight, "Its share of busy disks: 10 to 1000");
    app.add_option("--pids-limit", options.pids, "At most this many processes; -1: no limit");
}

void declare_single_options(CLI::App& app, SingleOptions& options) {
    app.set_help_flag("--help", "Print this help message and exit");  // -h is the host name
    app.positionals_at_end(true);
    app.add_option("IMAGE",
                   options.image,
                   "Name of the image, rootfs:DIR, or debootstrap:SUITE[,include=PACKAGE…]")
        ->required();
    app.add_option("COMMAND", options.command, "The command and its arguments");
    for (auto* const declare : {declare_process,
                                declare_network,
                                declare_files,
                                declare_isolation,
                                declare_limits,
                                declare_life,
                                declare_refused})
        declare_apart(app, [&] { declare(app, options); });
}

}  // namespace stack::cli
