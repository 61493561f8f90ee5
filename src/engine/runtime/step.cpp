// A step of a build: one command in a throw-away container.

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/cgroup/devices.h"
#include "engine/runtime/capabilities.h"
#include "engine/runtime/description.h"
#include "engine/runtime/helper.h"
#include "engine/runtime/process.h"
#include "engine/runtime/runtime.h"
#include "engine/runtime/seccomp.h"
#include "sys/file.h"
#include "sys/scratch_directory.h"

#include <array>

#include <fcntl.h>

namespace stack::runtime {
namespace {

constexpr const char* build_network = "stack_build";

std::string steps_directory(const Paths& paths) {
    return paths.run + "/steps";
}

std::string steps_cgroup(const Paths& paths) {
    return paths.instance.empty() ? "stack" : "stack-" + paths.instance;
}

/// Ends what goes by a step's name.
sys::ScratchDirectory::Bury burier(const Paths& paths,
                                   const cgroup::Cgroups& cgroups,
                                   network::Networks& networks) {
    return [parent = steps_cgroup(paths), &cgroups, &networks](const std::string& step) {
        cgroups.kill(parent + "/" + step);
        cgroups.remove(parent + "/" + step);
        cgroups.remove_if_empty(parent);
        networks.leave(build_network, step);
    };
}

/// What a step leaves behind goes with it, however it ends; what killed ones left, with the next.
struct Scratch {
    Scratch(const Paths& paths, const cgroup::Cgroups& cgroups, network::Networks& networks)
        : owned(steps_directory(paths), burier(paths, cgroups, networks)),
          id(owned.name()),
          directory(owned.path()),
          cgroup(steps_cgroup(paths) + "/" + id) {
        sys::ensure_directory(directory + "/root");
    }

    sys::ScratchDirectory owned;
    std::string id;
    std::string directory;
    std::string cgroup;
};

/// Steps reach the world through a bridge of their own, apart from every stack; it is there while
/// one of them is.
void attach(network::Networks& networks,
            const Scratch& scratch,
            shim::Spec& spec,
            std::vector<network::Endpoint>& endpoints) {
    Network wanted;
    wanted.key = "build";
    wanted.name = build_network;
    auto endpoint = networks.join(wanted, scratch.id);
    if (const auto network = networks.find(build_network))
        endpoint.resolver = network->gateway4;
    shim::InterfaceSpec interface;
    interface.bridge = endpoint.bridge_index;
    interface.group = endpoint.group;
    interface.host_name = endpoint.host_name;
    interface.name = endpoint.name;
    interface.alias = endpoint.alias;
    interface.mac = endpoint.mac;
    interface.address4 = endpoint.address4;
    interface.gateway4 = endpoint.gateway4;
    interface.mtu = static_cast<std::uint32_t>(endpoint.mtu);
    spec.interfaces.push_back(interface);
    endpoints.push_back(std::move(endpoint));
}

shim::MountSpec tree_mount(const LayerTree& tree) {
    shim::MountSpec mount;
    mount.kind = shim::MountKind::overlay;
    mount.lowers = tree.lowers;
    mount.upper = tree.upper;
    mount.work = tree.work;
    mount.subpath = tree.part;
    return mount;
}

shim::Spec describe(const Paths& paths, const StepSpec& step, const Scratch& scratch) {
    shim::Spec spec;
    spec.id = scratch.id;
    spec.name = step.name;
    spec.foreground = 1;
    spec.process.arguments = step.command;
    spec.process.environment = step.environment;
    spec.process.user = step.user;
    spec.process.working_dir = step.working_dir;
    spec.process.capabilities = capabilities_for({}, {}, false);
    spec.process.seccomp = default_filter(paths, spec.process.capabilities);
    spec.process.limits = limits_for(step.ulimits);
    spec.process.has_oom_score = 1;
    spec.lowers = step.lowers;
    spec.upper = step.upper;
    spec.work = step.work;
    spec.mount_point = scratch.directory + "/root";
    spec.volatile_upper = 1;
    spec.mounts = mount_specs(
        step.mounts, [&](const Mount& mount) { return tree_mount(step.trees.at(mount.source)); });
    spec.masked_paths = masked_paths();
    spec.read_only_paths = read_only_paths();
    if (step.shm_size)
        spec.shm_size = static_cast<std::uint64_t>(*step.shm_size);
    if (step.network == "host")
        spec.network.sharing = shim::Sharing::host;
    spec.hostname = "buildkitsandbox";  // what RUN steps see as their host elsewhere
    return spec;
}

/// systemd-resolved's own listens where no other network namespace gets to, and says here whom it
/// asks (systemd-resolved(8), "/etc/resolv.conf").
std::string resolv_conf_of(const StepSpec& step) {
    std::string text = sys::read_file("/etc/resolv.conf").value_or("");
    if (step.network == "host")
        return text;
    if (!has_reachable_server(text))
        text = sys::read_file("/run/systemd/resolve/resolv.conf").value_or(text);
    return with_reachable_servers(text);
}

void add_host_files(const StepSpec& step,
                    const Scratch& scratch,
                    const std::vector<network::Endpoint>& endpoints,
                    shim::Spec& spec) {
    ContainerRecord record;
    record.id = scratch.id;
    record.spec.service.hostname = spec.hostname;
    record.spec.service.extra_hosts = step.extra_hosts;
    sys::replace_volatile_file(scratch.directory + "/hosts", hosts_file(record, endpoints), 0644);
    // The name service is a project's; a step asks the host's servers. A copy: it may write to it.
    sys::replace_volatile_file(scratch.directory + "/resolv.conf", resolv_conf_of(step), 0644);
    for (const auto* name : {"hosts", "resolv.conf"}) {
        shim::MountSpec mount;
        mount.source = scratch.directory + "/" + name;
        mount.target = std::string("/etc/") + name;
        spec.mounts.insert(spec.mounts.begin(), mount);
    }
}

}  // namespace

void sweep_steps(const Paths& paths, const cgroup::Cgroups& cgroups, network::Networks& networks) {
    sys::ScratchDirectory::sweep(steps_directory(paths), burier(paths, cgroups, networks));
}

int run_step(const Paths& paths,
             const cgroup::Cgroups& cgroups,
             network::Networks& networks,
             const StepSpec& step,
             const std::function<void(std::string_view)>& output,
             const std::stop_token& stop) {
    const Scratch scratch(paths, cgroups, networks);
    shim::Spec spec = describe(paths, step, scratch);
    std::vector<network::Endpoint> endpoints;
    if (step.network.empty() || step.network == "default")
        attach(networks, scratch, spec, endpoints);
    add_host_files(step, scratch, endpoints, spec);
    Strings warnings;
    auto placement = cgroups.ensure(scratch.cgroup, {}, warnings);
    cgroups.guard_devices(scratch.cgroup, cgroup::default_devices(), placement, warnings);
    spec.attach_files = placement.attach_files;
    spec.v2_directory = placement.v2_directory;
    STACK_FAILPOINT("step.spawn");
    sys::Pipe streams = sys::make_pipe();
    sys::Pipe status = sys::make_pipe();
    const sys::Fd null = sys::open_file("/dev/null", O_RDONLY);
    constexpr int status_fd = 4;
    const auto shim = start_helper("run",
                                   shim::encode(spec),
                                   {{null.get(), 0},
                                    {streams.write.get(), 1},
                                    {streams.write.get(), 2},
                                    {status.write.get(), status_fd}},
                                   true);
    streams.write.reset();
    status.write.reset();
    const std::stop_callback kill(stop, [&] { cgroups.kill(scratch.cgroup); });
    sys::read_each(streams.read, output);
    const std::string said = sys::read_all(status.read);
    const int code = sys::wait(shim);
    if (said != "started") {
        const auto [number, sentence] = split_once(said, ' ');
        output(sentence + "\n");
        return parse_number<int>(number).value_or(code);
    }
    return code;
}

}  // namespace stack::runtime
