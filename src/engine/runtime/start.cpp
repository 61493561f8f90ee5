// From a record to a running shim: the description, the spawn.

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "engine/runtime/cdi.h"
#include "engine/runtime/description.h"
#include "engine/runtime/devices.h"
#include "engine/runtime/helper.h"
#include "engine/runtime/process.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "engine/runtime/seccomp.h"
#include "engine/runtime/sysctls.h"
#include "sys/fifo.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <fcntl.h>
#include <netinet/in.h>

namespace stack::runtime {
namespace {

std::uint32_t protocol_number(Protocol protocol) {
    switch (protocol) {
        case Protocol::tcp:
            return IPPROTO_TCP;
        case Protocol::udp:
            return IPPROTO_UDP;
        case Protocol::sctp:
            return IPPROTO_SCTP;
    }
    return IPPROTO_TCP;
}

shim::PortSpec port_spec(const network::PublishedPort& port, const network::Endpoint& endpoint) {
    shim::PortSpec spec;
    spec.host_ip = port.host_ip;
    spec.port = port.port;
    spec.protocol = protocol_number(port.protocol);
    spec.target = forward_target(endpoint);
    spec.target_port = port.target;
    return spec;
}

shim::FileSpec file_spec(const FileReference& reference,
                         const FileSource& source,
                         const std::string& directory) {
    shim::FileSpec file;
    const std::string target = reference.target.empty() ? reference.source : reference.target;
    file.target = target.starts_with('/') ? target : directory + target;
    if (source.content) {
        file.content = *source.content;
    } else {
        // It is read at every start, by whoever brings the container back then.
        if (sys::is_fifo(source.file))
            throw Error("the file " + source.file + " of " + reference.source +
                        " is a pipe, which is read once: put what it says into a file");
        auto content = sys::read_file(source.file);
        if (!content)
            throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                        "the file " + source.file + " of " + reference.source + " does not exist");
        file.content = std::move(*content);
    }
    file.mode = reference.mode.value_or(0444);
    file.uid = parse_number<std::uint32_t>(reference.uid).value_or(0);
    file.gid = parse_number<std::uint32_t>(reference.gid).value_or(0);
    return file;
}

std::vector<shim::FileSpec> file_specs(const ContainerSpec& spec) {
    std::vector<shim::FileSpec> files;
    for (const auto& reference : spec.service.secrets)
        if (const auto found = spec.secrets.find(reference.source); found != spec.secrets.end())
            files.push_back(file_spec(reference, found->second, "/run/secrets/"));
    for (const auto& reference : spec.service.configs)
        if (const auto found = spec.configs.find(reference.source); found != spec.configs.end())
            files.push_back(file_spec(reference, found->second, "/"));
    return files;
}

std::uint64_t log_option(const Logging& logging, const char* name, std::uint64_t otherwise) {
    const auto found = logging.options.find(name);
    if (found == logging.options.end())
        return otherwise;
    const auto value = parse_bytes(found->second);
    return value && *value > 0 ? static_cast<std::uint64_t>(*value) : otherwise;
}

bool is_alive(int pid, std::uint64_t started) {
    const sys::Fd process = sys::open_process(pid, started);
    return process && !sys::has_ended(process);
}

/// A disk that is full hides the failure itself from nobody.
void note_refusal(const Places& places, const std::string& sentence) {
    try {
        change_life(places, [&](Life& life) { life.error = sentence; });
    } catch (const Error& error) {
        log::warn(error.what());
    }
}

}  // namespace

std::optional<std::string> Runtime::lender_of(const ContainerRecord& record,
                                              const std::string& mode) const {
    const auto [kind, name] = split_once(mode, ':');
    if (name.empty())
        return std::nullopt;
    const auto lives = [&](const std::string& id) {
        const auto live = read_live(places_of(paths_, id));
        return live && is_alive(live->pid, live->pid_started);
    };
    if (kind == "container") {
        const auto other = find(name);
        const bool lends = other && other->id != record.id && lives(other->id);
        return lends ? std::optional(other->id) : std::nullopt;
    }
    ContainerRecordPtr first;  // of those that live: the same one every time
    for (const auto& id : list())
        if (auto other = find(id); other && other->id != record.id &&
                                   other->spec.project == record.spec.project &&
                                   other->spec.service.name == name && !other->spec.oneoff &&
                                   (!first || other->spec.number < first->spec.number) && lives(id))
            first = std::move(other);
    return first ? std::optional(first->id) : std::nullopt;
}

void Runtime::describe_files(const ContainerRecord& record, shim::Spec& spec) const {
    const Places places = places_of(paths_, record.id);
    spec.lowers = record.image.lowers;
    spec.upper = places.state + "/upper";
    spec.work = places.state + "/work";
    spec.read_only = record.spec.service.read_only ? 1 : 0;
    spec.mounts =
        mount_specs(record.mounts, [&](const Mount& mount) { return volume_mount(record, mount); });
}

shim::Spec Runtime::describe(const ContainerRecord& record,
                             const std::vector<network::Endpoint>& endpoints) {
    const Places places = places_of(paths_, record.id);
    const Service& service = record.spec.service;
    const auto lend = [&](const std::string& mode) {
        const auto lender = lender_of(record, mode);
        const auto live = lender ? read_live(places_of(paths_, *lender)) : std::nullopt;
        return live ? live->pid : 0;
    };
    shim::Spec spec;
    spec.id = record.id;
    spec.name = record.spec.name;
    spec.process = process_for(record);
    spec.process.seccomp = filter_for(paths_, service, spec.process.capabilities);
    describe_files(record, spec);
    spec.mount_point = places.run + "/root";
    spec.privileged = service.privileged ? 1 : 0;
    spec.files = file_specs(record.spec);
    if (!service.privileged && !has_security_option(service, "systempaths", "unconfined")) {
        spec.masked_paths = masked_paths();
        spec.read_only_paths = read_only_paths();
    }
    if (service.ipc == "none")
        spec.shm_size = 0;
    else if (service.shm_size.value_or(0) > 0)
        spec.shm_size = static_cast<std::uint64_t>(*service.shm_size);
    if (record.first_user != 0) {
        spec.user.sharing = shim::Sharing::own;
        spec.root_id = record.first_user;
        spec.uid_map = spec.gid_map = "0 " + std::to_string(record.first_user) + " " +
                                      std::to_string(shim::ids_of_users) + "\n";
    }
    spec.network = namespace_for(service.network_mode, "net", lend);
    spec.pid = namespace_for(service.pid, "pid", lend);
    if (const auto lender = lender_of(record, service.ipc);
        lender && require(*lender)->first_user != 0)
        throw Error(
            "ipc: " + service.ipc +
            " has users of its own (`userns_mode: private`), whose shared memory nobody else "
            "can write: leave one of the two out");
    spec.ipc = namespace_for(service.ipc, "ipc", lend);
    spec.uts = service.network_mode == "host" && service.hostname.empty()
                   ? shim::NamespaceSpec{shim::Sharing::host, ""}
                   : namespace_for(service.uts, "uts", lend);
    spec.cgroup = namespace_for(service.cgroup, "cgroup", lend);
    spec.hostname = hostname_for(service, record.id);
    spec.domainname = service.domainname;
    spec.sysctls = sysctls_for(service.sysctls, spec);
    for (const auto& endpoint : endpoints)
        spec.interfaces.push_back(interface_spec(endpoint));
    if (const auto* published = find_published(endpoints))
        for (const auto& port : record.ports)
            spec.ports.push_back(port_spec(port, *published));
    spec.stdin_open = service.stdin_open ? 1 : 0;
    spec.run_directory = places.run;
    if (service.logging.driver != "none")
        spec.log_path = places.state + "/log";
    spec.log_size = log_option(service.logging, "max-size", spec.log_size);
    spec.log_files =
        static_cast<std::uint32_t>(log_option(service.logging, "max-file", spec.log_files));
    const auto mode = service.logging.options.find("mode");
    spec.log_drops =
        mode != service.logging.options.end() && mode->second == "non-blocking" ? 1 : 0;
    spec.boot_id = sys::boot_id();
    if (!record.spec.project.empty()) {
        spec.supervisor_pid_file =
            paths_.run + "/projects/" + record.spec.project + "/supervisor.pid";
        spec.supervisor = {
            sys::own_program(), "--root", paths_.state, "supervise", record.spec.project};
    }
    return spec;
}

namespace {

/// /etc/resolv.conf of a container that has the host's network: the host's, but for what the
/// service says itself.
std::string host_resolv_conf(const ContainerRecord& record) {
    const Service& service = record.spec.service;
    if (service.dns.empty() && service.dns_search.empty() && service.dns_opt.empty())
        return sys::read_file("/etc/resolv.conf").value_or("");
    std::string text;
    if (service.dns.empty())
        for (const auto& server : host_servers())
            text += "nameserver " + server + "\n";
    return text + resolv_conf(record, {});
}

/// Files of ours that stand where the image has its own. The container may write to them: they are
/// its own, also where it has the host's network, and lie on the disk that its root lies on, not in
/// the host's memory. `network_files`: where those of whoever lends it the network are, which it
/// shares; or its own directory.
void add_host_files(shim::Spec& spec,
                    const ContainerRecord& record,
                    const std::vector<network::Endpoint>& endpoints,
                    const std::string& directory,
                    const std::string& network_files) {
    const bool at_host = spec.network.sharing == shim::Sharing::host;
    sys::replace_volatile_file(directory + "/hostname", spec.hostname + "\n", 0644);
    sys::replace_volatile_file(directory + "/hosts", hosts_file(record, endpoints), 0644);
    sys::replace_volatile_file(directory + "/resolv.conf",
                               at_host ? host_resolv_conf(record) : resolv_conf(record, endpoints),
                               0644);
    for (const auto& source :
         {directory + "/hostname", network_files + "/hosts", network_files + "/resolv.conf"}) {
        shim::MountSpec mount;
        mount.source = source;
        mount.target = "/etc" + source.substr(source.rfind('/'));
        spec.mounts.insert(spec.mounts.begin(),
                           mount);  // a mount of the user's at the same place covers it
    }
    if (record.spec.service.init) {
        spec.init = 1;
        shim::MountSpec init;
        init.source = helper_file();
        init.target = "/dev/init";
        init.read_only = 1;
        spec.mounts.push_back(init);
        spec.process.arguments.insert(spec.process.arguments.begin(), {"/dev/init", "init"});
    }
}

std::vector<Device> with_nodes(std::vector<Device> devices, const CdiEdits& edits) {
    for (const auto& node : edits.nodes)
        devices.push_back(node.device);
    return devices;
}

/// The shim has the run lock, too, until its container is recorded.
void start_shim(shim::Spec& spec, const sys::Lock& run, Starting& starting) {
    sys::Pipe status = sys::make_pipe();
    constexpr int status_fd = 4;
    constexpr int lock_fd = 5;
    spec.run_lock = lock_fd;
    const sys::Fd null = sys::open_file("/dev/null", O_RDWR);
    starting.id = spec.id;
    starting.shim = start_helper("run",
                                 shim::encode(spec),
                                 {{null.get(), 0},
                                  {null.get(), 1},
                                  {null.get(), 2},
                                  {status.write.get(), status_fd},
                                  {run.fd().get(), lock_fd}},
                                 true);
    starting.status = std::move(status.read);
}

}  // namespace

shim::Spec Runtime::prepare(const ContainerRecord& record,
                            const Places& places,
                            Starter starter,
                            Strings& warnings) {
    const Service& service = record.spec.service;
    // What the machine does not have is said before there is anything to take back.
    const auto devices = devices_for(service);
    const auto edits = cdi_edits_for(cdi_names_of(service), cdi_directories());
    for (const auto& directory :
         {places.state + "/upper", places.state + "/work", places.run + "/root"})
        sys::ensure_directory(directory);
    prepare_volumes(record);
    STACK_FAILPOINT("container.start.volumes");
    const auto endpoints = connect(record);
    STACK_FAILPOINT("container.start.attached");
    auto placement = cgroups_.ensure(places.cgroup, resources_for(service), warnings);
    if (!service.privileged)
        cgroups_.guard_devices(
            places.cgroup,
            device_rules(with_nodes(devices, edits), service.device_cgroup_rules),
            placement,
            warnings);
    shim::Spec spec = describe(record, endpoints);
    spec.devices = device_specs(devices, service.privileged);
    apply(edits, places.run, spec);
    const auto lender = lender_of(record, service.network_mode);
    add_host_files(spec,
                   record,
                   endpoints,
                   places.state,
                   lender ? places_of(paths_, *lender).state : places.state);
    spec.attach_files = placement.attach_files;
    spec.v2_directory = placement.v2_directory;
    if (cgroups_.mode() != cgroup::Mode::v2)
        for (const auto& [name, directory] : cgroups_.directories(places.cgroup))
            spec.hierarchies.push_back({name, directory});
    spec.oom_file = cgroups_.oom_file(places.cgroup);
    // In one network they have been published since connect().
    if (const auto* published = find_published(endpoints);
        published && endpoints.size() > 1 && !record.ports.empty())
        networks_.publish(record.id, *published, record.ports, titles());
    STACK_FAILPOINT("container.start.published");
    change_life(places, [&](Life& life) {
        // Who made it for itself waits for its first run, not for those to come.
        if (starter == Starter::client || (record.spec.await_client && !life.started_once))
            spec.await_client = 1;
        life.stopped_by_user = false;
        life.ended = false;
        life.started_once = true;
        life.error.clear();
    });
    return spec;
}

Starting Runtime::start(const std::string& id, Starter starter) {
    ContainerRecord record = *require(id);
    const Places places = places_of(paths_, record.id);
    const auto run = hold_run(places);
    record = *require(record.id);  // it may have changed, or gone, before the lock was ours
    if (!run)
        throw Error(std::make_error_code(std::errc::no_such_process),
                    "container " + record.spec.name + " has been removed meanwhile");
    if (watch(record.id))
        throw Error(std::make_error_code(std::errc::device_or_resource_busy),
                    "container " + record.spec.name + " has been started by somebody else");
    const auto lock = sys::Lock::try_acquire(files_lock(places));
    if (!lock)
        throw Error(std::make_error_code(std::errc::device_or_resource_busy),
                    "container " + record.spec.name +
                        " cannot be started while files are copied from or to it");
    if (const Life life = read_life(places);
        starter == Starter::policy && life.stopped_by_user && life.stopped_boot == sys::boot_id())
        throw Error(std::make_error_code(std::errc::operation_canceled),
                    "container " + record.spec.name + " has been stopped meanwhile");
    if (sys::exists(places.run) || is_lost(places))
        clear_run(record.id);
    renew_ports(record);
    Starting starting;
    shim::Spec spec;
    try {
        spec = prepare(record, places, starter, starting.warnings);
    } catch (const std::exception& error) {
        // As if it had never been tried: its addresses may be another's, unless it has had them
        // since a start that was none of this.
        clear_run(record.id);
        if (!read_life(places).started_once)
            networks_.release(record.id);
        note_refusal(places, error.what());
        throw;
    }
    start_shim(spec, *run, starting);
    STACK_FAILPOINT("container.start.spawned");
    return starting;
}

void Runtime::finish_start(const Starting& starting, const std::string& status) {
    if (status == "started")
        return;
    const Places places = places_of(paths_, starting.id);
    // Who settles it meanwhile reaps it, too.
    while (!sys::has_ended(starting.shim.pidfd))
        sys::wait_for_end(starting.shim.pidfd, std::chrono::hours(1));
    sys::reap(starting.shim.pid);
    const auto [code, said] = split_once(status, ' ');
    const std::string sentence = said.empty() ? "its shim died before the container ran" : said;
    constexpr int engine_failed = 125;
    const int exit_code = parse_number<int>(code).value_or(engine_failed);
    const auto run = hold_run(places);
    const auto live = read_live(places);
    if (!run || (live && live->shim != starting.shim.pid))
        throw Error(std::make_error_code(std::errc::operation_canceled),
                    "the start of container " + starting.id +
                        " failed, and somebody else has removed or started it meanwhile");
    change_life(places, [&](Life& life) {
        life.ended = true;
        life.started = life.finished = std::chrono::system_clock::now();
        life.exit = {};
        life.exit.code = exit_code;
        life.error = sentence;
    });
    sys::remove_file(places.live_record());
    clear_run(starting.id);
    throw Error(std::make_error_code(std::errc::io_error),
                "container " + require(starting.id)->spec.name + " cannot be started: " + sentence);
}

}  // namespace stack::runtime
