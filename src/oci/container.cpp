#include "oci/container.h"

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/runtime/helper.h"
#include "engine/runtime/sysctls.h"
#include "oci/helper_link.h"
#include "oci/resources.h"
#include "shim/hook.h"
#include "sys/file.h"
#include "sys/socket_path.h"

#include <algorithm>
#include <csignal>
#include <ctime>

namespace stack::oci {
namespace {

// The helper's descriptors (shim/main.cpp).
constexpr int status_fd = 4;
constexpr int go_fd = 5;
constexpr int start_fd = 6;
constexpr int console_fd = 7;

Bundle read_new_bundle(const std::string& id, const std::string& directory) {
    Bundle bundle;
    bundle.id = id;
    bundle.directory =
        sys::absolute_path(directory.empty() ? "." : directory, sys::current_directory());
    const std::string file = bundle.directory + "/config.json";
    const auto text = sys::read_file(file);
    if (!text)
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "the bundle has no " + file);
    try {
        bundle.config = Json::parse(*text);
    } catch (const Json::parse_error& error) {
        throw Error(file + " is not JSON: " + error.what());
    }
    check_config(bundle.config);
    return bundle;
}

std::string now() {
    const std::time_t seconds = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::string text(20, '\0');
    text.resize(std::strftime(text.data(), text.size() + 1, "%Y-%m-%dT%H:%M:%SZ", &parts));
    return text;
}

Record new_record(const Bundle& bundle) {
    Record record;
    record.id = bundle.id;
    record.bundle = bundle.directory;
    record.group = group_of(bundle);
    record.created = now();
    record.boot_id = sys::boot_id();
    return record;
}

Error wrong_status(const Record& record, Status status, const std::string& wish) {
    return Error("container " + record.id + " is " + text_of(status) + ": " + wish);
}

/// A namespace that is joined by its path may be the host's own, whose settings are the machine's.
void refuse_settings_of_host(const shim::Spec& spec) {
    const auto refuse = [&](const shim::NamespaceSpec& space, const char* own) {
        if (space.sharing == shim::Sharing::joined &&
            sys::is_same_file(space.path, std::string("/proc/self/ns/") + own))
            for (const auto& setting : spec.sysctls)
                if (runtime::sysctl_owner(setting.name, spec) == &space)
                    throw Error("sysctl " + setting.name + " is a setting of the host's: " +
                                space.path + " is its own namespace");
    };
    refuse(spec.network, "net");
    refuse(spec.ipc, "ipc");
    refuse(spec.uts, "uts");
}

}  // namespace

/// A container on its way.
struct Containers::Creation {
    Record record;
    Bundle bundle;
    shim::Spec spec;
    sys::Child helper;
    Lines status;
    sys::Fd go;
};

void Containers::warn_all(const Strings& warnings) const {
    for (const auto& warning : warnings)
        warn_(warning);
}

/// The limits of the bundle on its group, and where a process has to go to be in it.
cgroup::Placement Containers::limit(const Bundle& bundle, const std::string& group) const {
    Strings warnings;
    const auto& controllers = cgroups_.controllers();
    const bool has_device_groups =
        std::find(controllers.begin(), controllers.end(), "devices") != controllers.end();
    const Limits limits =
        limits_for(field(bundle.config, "linux"), cgroups_.mode(), has_device_groups, warnings);
    auto placement = cgroups_.ensure(group, limits.resources, limits.more, warnings);
    if (limits.guards_devices)
        cgroups_.guard_devices(group, limits.allowed_devices, placement, warnings);
    warn_all(warnings);
    return placement;
}

void Containers::run_host_hooks(const Creation& creation, const char* name) const {
    // The validation programs of opencontainers/runtime-tools want it so of this one, which is of
    // the time before there was the other status.
    const char* status = name == std::string_view("prestart") ? "created" : "creating";
    const std::string state = shim::hook_state(creation.spec.bundle, status, creation.record.pid);
    std::string problem;
    for (const auto& hook : hooks_for(creation.bundle.config, name))
        if (!shim::run_hook(hook, state, {}, problem))
            throw Error(std::string(name) + " " + problem);
}

/// What fails here changes nothing (runtime-spec runtime.md, "Lifecycle").
void Containers::run_late_hooks(const Bundle& bundle, const char* name, const Json& state) const {
    std::string problem;
    for (const auto& hook : hooks_for(bundle.config, name))
        if (!shim::run_hook(hook, state.dump(), {}, problem))
            warn_(std::string(name) + " " + problem);
}

/// From the helper's start to where the container is created.
void Containers::follow(Creation& creation) {
    while (const auto line = creation.status.next()) {
        if (*line == "created") {
            STACK_FAILPOINT("oci.create");
            creation.record.is_created = true;
            records_.write(creation.record);
            STACK_FAILPOINT("oci.created");
            return;
        }
        if (*line == "hooks") {
            run_host_hooks(creation, "prestart");
            run_host_hooks(creation, "createRuntime");
            sys::write_all(creation.go, "g");
        } else if (const auto pid = parse_number<int>(split_once(*line, ' ').second)) {
            STACK_FAILPOINT("oci.clone");
            creation.record.pid = *pid;
            creation.record.pid_started = sys::start_time(*pid).value_or(0);
            records_.write(creation.record);
        }
    }
    throw fault("container " + creation.record.id + " cannot be created", creation.status.rest());
}

/// Postcondition: nothing runs of the container, and nothing is left of it but its hooks' work.
void Containers::discard(const Record& record, const Bundle& bundle) {
    constexpr std::chrono::seconds patience{10};
    const sys::Fd process = process_of(record);
    if (record.owns_group)
        cgroups_.kill(record.group);
    if (process) {
        sys::send_signal(process, SIGKILL);
        sys::wait_for_end(process, patience);
    }
    STACK_FAILPOINT("oci.delete");
    if (record.owns_group)
        cgroups_.remove(record.group);
    if (const auto parent = sys::parent_path("/" + record.group); parent == "/stack-oci")
        cgroups_.remove_if_empty(parent.substr(1));
    STACK_FAILPOINT("oci.forget");
    records_.remove(record.id);
    run_late_hooks(bundle, "poststop", state_of(record, bundle, Status::stopped));
}

shim::Spec Containers::place(const Bundle& bundle, const std::string& group) {
    Strings warnings;
    const auto placement = limit(bundle, group);
    shim::Spec spec = describe(bundle, cgroups_.directories(group), warnings);
    warn_all(warnings);
    spec.attach_files = placement.attach_files;
    spec.v2_directory = placement.v2_directory;
    return spec;
}

Containers::Creation Containers::begin(const CreateOptions& options,
                                       const Record& record,
                                       const Bundle& bundle,
                                       const sys::Fd& console) {
    shim::Spec spec = place(bundle, record.group);
    spec.bundle.stays = options.detached ? 0 : 1;
    spec.bundle.start_socket = start_fd;
    spec.bundle.console = console ? console_fd : 0;
    spec.bundle.preserved = options.preserved;
    spec.bundle.first_preserved = first_preserved;
    const sys::Fd listener =
        sys::listen_at(sys::SocketPath(records_.place(record.id), "start.sock"));
    sys::Pipe status = sys::make_pipe();
    sys::Pipe go = sys::make_pipe();
    std::vector<std::pair<int, int>> descriptors{
        {status.write.get(), status_fd}, {go.read.get(), go_fd}, {listener.get(), start_fd}};
    if (console)
        descriptors.emplace_back(console.get(), console_fd);
    add_preserved(options.preserved, descriptors);
    // One that stays gets signals from here, not from the terminal.
    auto helper = runtime::start_helper(
        "create", shim::encode(spec), std::move(descriptors), !options.detached);
    return {record,
            bundle,
            std::move(spec),
            std::move(helper),
            Lines(std::move(status.read)),
            std::move(go.write)};
}

/// Where it fails the container ends with its helper.
void Containers::finish(Creation& creation, const CreateOptions& options) {
    try {
        follow(creation);
        write_pid_file(options.pid_file, creation.record.pid);
    } catch (...) {
        creation.go.reset();
        sys::send_signal(creation.helper.pidfd, SIGKILL);
        static_cast<void>(sys::wait(creation.helper));
        throw;
    }
}

sys::Child Containers::make(const CreateOptions& options) {
    check_preserved(options.preserved);
    const Bundle bundle = read_new_bundle(options.id, options.bundle);
    Strings warnings;
    refuse_settings_of_host(describe(bundle, {}, warnings));  // before anything is made
    check_terminal(flag_of(field(bundle.config, "process"), "terminal"),
                   options.detached,
                   options.console_socket);
    const sys::Fd console = connect_console(options.console_socket);
    records_.refuse_taken(options.id);
    Record record = new_record(bundle);
    if (!cgroups_.processes(record.group).empty())
        throw Error("config.json: linux.cgroupsPath: there are processes in " + record.group +
                    " already");
    record.owns_group = !cgroups_.exists(record.group);
    const auto lock = records_.add(bundle, record);
    try {
        STACK_FAILPOINT("oci.record");
        Creation creation = begin(options, record, bundle, console);
        finish(creation, options);
        return std::move(creation.helper);
    } catch (...) {
        discard(records_.read(record.id), bundle);
        throw;
    }
}

void Containers::create(const CreateOptions& options) {
    static_cast<void>(sys::wait(make(options)));
}

void Containers::start(const std::string& id) {
    // Not while it begins: its hooks may take their time, and may ask for it themselves.
    std::optional<sys::Lock> lock = records_.lock(id);
    const Record record = records_.read(id);
    const Bundle bundle = records_.read_bundle(record);
    const Status status = records_.status(record, cgroups_);
    if (status != Status::created)
        throw wrong_status(record, status, "only one that is created can be started");
    const sys::SocketPath path(records_.place(id), "start.sock");
    sys::Fd connection = sys::connect_to(path);
    if (!connection)
        throw wrong_status(record, Status::stopped, "its set-up has ended");
    // It does nothing before our word; from here on nobody else can start it.
    sys::remove_file(path.file());
    STACK_FAILPOINT("oci.start");
    sys::write_all(connection, "g");
    STACK_FAILPOINT("oci.started");
    lock.reset();
    Lines answer(std::move(connection));
    while (answer.next()) {
    }
    if (!answer.rest().empty())
        throw fault("container " + id + " cannot be started", answer.rest());
    run_late_hooks(bundle, "poststart", state_of(record, bundle, Status::running));
}

int Containers::run(const CreateOptions& options) {
    const sys::Child helper = make(options);
    try {
        start(options.id);
    } catch (...) {
        remove(options.id, true);
        throw;
    }
    if (options.detached)
        return sys::wait(helper);
    const int status = wait_and_relay(helper);
    if (!options.is_kept)
        remove(options.id, true);
    return status;
}

void Containers::kill(const std::string& id, int signal, bool all) {
    const Record record = records_.read(id);
    const Status status = records_.status(record, cgroups_);
    if (status == Status::creating || (status == Status::stopped && !all))
        throw wrong_status(record, status, "container not running");  // containerd looks for it
    if (all)
        for (const int pid : cgroups_.processes(record.group))
            if (const auto started = sys::start_time(pid))
                if (const sys::Fd process = sys::open_process(pid, *started))
                    sys::send_signal(process, signal);
    if (const sys::Fd process = process_of(record); process && !all)
        sys::send_signal(process, signal);
    if (signal == SIGKILL && cgroups_.frozen(record.group))
        cgroups_.freeze(record.group, false);
}

void Containers::remove(const std::string& id, bool force) {
    if (force && !records_.has(id))
        return;
    if (force && records_.is_damaged(id)) {
        records_.remove(id);
        return;
    }
    // Who holds the lock may wait for it to end.
    if (force)
        if (const sys::Fd process = process_of(records_.read(id)))
            sys::send_signal(process, SIGKILL);
    const auto lock = records_.lock(id);
    const Record record = records_.read(id);
    const Status status = records_.status(record, cgroups_);
    if (status != Status::stopped && record.is_created && !force)
        throw wrong_status(record, status, "kill it first, or delete it with --force");
    discard(record, records_.read_bundle(record));
}

void Containers::pause(const std::string& id, bool paused) {
    const auto lock = records_.lock(id);
    const Record record = records_.read(id);
    const Status status = records_.status(record, cgroups_);
    if (paused && status != Status::running && status != Status::created)
        throw wrong_status(record, status, "only one that runs can be paused");
    if (!paused && status != Status::paused)
        throw wrong_status(record, status, "only one that is paused can be resumed");
    cgroups_.freeze(record.group, paused);
}

void Containers::update(const std::string& id, const Json& resources) {
    const auto lock = records_.lock(id);
    const Record record = records_.read(id);
    const Status status = records_.status(record, cgroups_);
    if (status == Status::stopped || status == Status::creating)
        throw wrong_status(record, status, "it has no limits to change");
    Bundle bundle = records_.read_bundle(record);
    bundle.config["linux"]["resources"].merge_patch(resources);
    records_.write_config(id, bundle.config);
    // The devices stay as they are: to say them again is to have none for a moment.
    bundle.config["linux"]["resources"].erase("devices");
    static_cast<void>(limit(bundle, record.group));
}

Json Containers::state(const std::string& id) const {
    const Record record = records_.read(id);
    return state_of(record, records_.read_bundle(record), records_.status(record, cgroups_));
}

std::vector<Json> Containers::states() const {
    std::vector<Json> list;
    for (const auto& id : records_.ids()) {
        try {
            const Record record = records_.read(id);
            Json one =
                state_of(record, records_.read_bundle(record), records_.status(record, cgroups_));
            one["created"] = record.created;
            list.push_back(std::move(one));
        } catch (const Error& error) {
            if (records_.has(id))  // else it was deleted meanwhile
                warn_(error.what());
        }
    }
    return list;
}

std::vector<int> Containers::processes(const std::string& id) const {
    return cgroups_.processes(records_.read(id).group);
}

}  // namespace stack::oci
