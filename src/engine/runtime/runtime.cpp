#include "engine/runtime/runtime.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/random.h"
#include "base/text.h"
#include "base/units.h"
#include "engine/runtime/description.h"
#include "engine/runtime/process.h"
#include "engine/runtime/record.h"
#include "engine/runtime/user_range.h"
#include "engine/storage/volumes.h"
#include "model/volumes_from.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/scratch_directory.h"
#include "sys/tree.h"

#include <algorithm>
#include <csignal>

namespace stack::runtime {
namespace {

constexpr std::size_t short_id = 12;

std::string containers_directory(const Paths& paths) {
    return paths.state + "/containers";
}

// On the file system of the containers, so that a rename gets there.
std::string making_directory(const Paths& paths) {
    return containers_directory(paths) + "/.making";
}

std::string trash_directory(const Paths& paths) {
    return containers_directory(paths) + "/.trash";
}

/// `" of stack shop"`; nothing for one that belongs to none.
std::string stack_text(const std::string& project) {
    return project.empty() || project == single_containers ? "" : " of stack " + project;
}

/// Docker's rule; names become hosts' names, labels and words of commands.
bool is_name(std::string_view name) {
    const auto is_letter_or_digit = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && is_letter_or_digit(name.front()) &&
           std::all_of(name.begin(), name.end(), [&](char c) {
               return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
           });
}

using PublishedPorts = std::vector<network::PublishedPort>;

bool is_chosen(const Port& port) {
    return port.published.empty() || port.published == "0" ||
           port.published.find('-') != std::string::npos;
}

bool has_chosen_port(const Service& service) {
    return std::any_of(service.ports.begin(), service.ports.end(), is_chosen);
}

std::uint16_t decide_port(const Port& port, const PublishedPorts& taken) {
    const auto [first, last] = split_once(port.published, '-');
    if (!is_chosen(port))
        return parse_number<std::uint16_t>(first).value_or(0);
    const auto chosen = network::free_port(port.host_ip,
                                           port.protocol,
                                           parse_number<std::uint16_t>(first).value_or(0),
                                           parse_number<std::uint16_t>(last).value_or(0),
                                           taken);
    if (!chosen)
        throw Error(std::make_error_code(std::errc::address_in_use),
                    "no port is free" + (last.empty() ? std::string() : " in " + port.published) +
                        " for port " + std::to_string(port.target));
    return *chosen;
}

/// Those that were chosen `before` and are still free stay.
PublishedPorts decide_ports(const Service& service,
                            PublishedPorts taken,
                            const PublishedPorts& before) {
    PublishedPorts ports;
    for (const auto& port : service.ports) {
        network::PublishedPort decided{port.host_ip, 0, port.target, port.protocol};
        if (const std::size_t index = ports.size(); is_chosen(port) && index < before.size())
            decided.port = before[index].port;
        if (decided.port == 0 || !network::is_free(decided, taken))
            decided.port = decide_port(port, taken);
        ports.push_back(decided);
        taken.push_back(decided);
    }
    return ports;
}

/// Nobody makes or names a container, or removes a volume, meanwhile.
sys::Lock hold_records(const Paths& paths) {
    sys::ensure_directory(containers_directory(paths), 0711);
    return sys::Lock::acquire(containers_directory(paths) + "/.lock");
}

/// Makes the exit of a run part of what stays.
void note_end(const Places& places, const std::optional<Live>& live) {
    if (!sys::exists(places.live_record()))
        return;
    const auto ended = read_exit(places);
    STACK_FAILPOINT("container.settle.life");
    if (!sys::exists(places.state))
        return;
    change_life(places, [&](Life& life) {
        life.ended = true;
        life.exit = ended ? ended->exit : ExitStatus{};
        life.finished = ended ? ended->finished : std::chrono::system_clock::now();
        if (live)
            life.started = live->started;
    });
}

/// Who looks for an exit looks before it looks for a live record: that goes first.
void remove_run(const Places& places) {
    sys::remove_file(places.live_record());
    sys::remove_tree(places.run);
}

}  // namespace

bool mounts_volume(const ContainerRecord& record, const std::string& volume) {
    return std::any_of(record.mounts.begin(), record.mounts.end(), [&](const Mount& mount) {
        return mount.type == MountType::volume && mount.source == volume;
    });
}

StringMap ids_of(const MountedImages& mounted) {
    StringMap ids;
    for (const auto& [source, image] : mounted)
        ids[source] = image.id;
    return ids;
}

Runtime::Runtime(const Paths& paths, const cgroup::Cgroups& cgroups, network::Networks& networks)
    : paths_(paths),
      cgroups_(cgroups),
      networks_(networks),
      records_(std::make_unique<Records>(paths)) {}

Runtime::~Runtime() = default;

std::vector<std::string> Runtime::list() const {
    auto names = sys::list_directory(containers_directory(paths_));
    std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
    return names;
}

ContainerRecordPtr Runtime::find(const std::string& id_or_name) const {
    if (auto record = records_->find(id_or_name))
        return record;
    constexpr std::size_t shortest_prefix = 4;
    ContainerRecordPtr begun;  // with what was asked for; a name comes first
    for (const auto& id : list()) {
        const auto record = records_->find_readable(id);
        if (!record)
            continue;  // its creation was interrupted before it had a name
        if (record->spec.name == id_or_name)
            return record;
        if (id_or_name.size() >= shortest_prefix && id.starts_with(id_or_name))
            begun = record;
    }
    return begun;
}

/// Never null.
ContainerRecordPtr Runtime::require(const std::string& id) const {
    auto record = find(id);
    if (!record)
        throw Error(std::make_error_code(std::errc::no_such_process),
                    "container " + id + " does not exist");
    return record;
}

/// Throws where a container may not be called so.
void Runtime::check_name(const std::string& name) const {
    constexpr std::size_t longest = 255;
    if (name.size() > longest)
        throw Error("container name " + name.substr(0, 40) + "… has " +
                    std::to_string(name.size()) + " characters: at most " +
                    std::to_string(longest) + " are allowed");
    if (!is_name(name))
        throw Error(
            "container name " + name +
            " is not allowed: letters, digits, `_`, `.` and `-`, the first a letter or digit");
    const auto existing = find(name);
    if (!existing || existing->spec.name != name)
        return;
    throw Error(std::make_error_code(std::errc::file_exists),
                "the name " + name + " belongs to another container" +
                    stack_text(existing->spec.project) + ", " + existing->id.substr(0, short_id) +
                    ": remove that one, or choose another name");
}

ContainerRecordPtr Runtime::volume_lender(const ContainerSpec& spec,
                                          const model::VolumesFrom& from) const {
    ContainerRecordPtr lender;
    if (from.is_container) {
        lender = find(from.name);
    } else {
        for (const auto& id : list())
            if (auto other = find(id); other && other->spec.project == spec.project &&
                                       other->spec.service.name == from.name &&
                                       !other->spec.oneoff &&
                                       (!lender || other->spec.number < lender->spec.number))
                lender = std::move(other);
    }
    if (!lender)
        throw Error(std::make_error_code(std::errc::no_such_process),
                    "container " + spec.name + " takes volumes from " +
                        (from.is_container ? "container " + from.name + ", which does not exist"
                                           : "service " + from.name + ", which has no container") +
                        ": create that one first");
    return lender;
}

std::vector<Mount> Runtime::lent_mounts(const ContainerSpec& spec) {
    std::vector<Mount> lent;
    const Strings& all = spec.service.volumes_from;
    for (auto text = all.rbegin(); text != all.rend(); ++text) {
        const auto from = model::parse_volumes_from(*text);
        if (!from)
            throw Error("volumes cannot be taken from " + *text + ": the mode is ro or rw");
        const ContainerRecordPtr lender = volume_lender(spec, *from);
        prepare_volumes(*lender);  // with what its own image has there, whoever starts first
        for (auto mount : lender->mounts) {
            if (mount.type != MountType::volume && mount.type != MountType::bind)
                continue;
            mount.read_only = mount.read_only || from->read_only;
            lent.push_back(std::move(mount));
        }
    }
    return lent;
}

std::string Runtime::create(const ContainerSpec& spec,
                            const ImageView& image,
                            const MountedImages& mounted) {
    const sys::Lock lock = hold_records(paths_);
    if (const auto existing = is_of_command(spec) ? nullptr : find(spec.name);
        existing && existing->spec.name == spec.name && existing->spec.project == spec.project &&
        existing->spec.config_digest == spec.config_digest && existing->image.id == image.id &&
        ids_of(existing->mounted) == ids_of(mounted))
        return existing->id;
    check_name(spec.name);
    ContainerRecord record;
    record.id = random_hex(64);
    record.spec = spec;
    record.image = image;
    record.mounted = mounted;
    record.ports = decide_ports(spec.service, ports_of_others(record), {});
    if (spec.service.userns_mode == "private")
        record.first_user = choose_user_range(record.id, user_ranges());
    record.command = command_for(spec.service, image.config);
    if (is_of_command(spec))  // whoever had the name
        record.spec.anonymous_salt = record.id;
    record.mounts = mounts_for(record.spec, image.config, lent_mounts(spec));
    record.created = std::chrono::system_clock::now();
    // It takes its place whole: without its record, nobody could tell whose it is.
    sys::ScratchDirectory made(making_directory(paths_));
    STACK_FAILPOINT("container.directory");
    sys::replace_file(made.path() + "/config.json", encode(record));
    STACK_FAILPOINT("container.record");
    if (!made.move_to(places_of(paths_, record.id).state))
        throw Error("container " + record.id + " is there already");
    sys::sync_directory(containers_directory(paths_));
    return record.id;
}

network::TitleOf Runtime::titles() const {
    return [this](const std::string& id) {
        const auto record = find(id);
        return record ? "container " + record->spec.name : network::short_title(id);
    };
}

std::set<std::uint32_t> Runtime::user_ranges() const {
    std::set<std::uint32_t> ranges;
    for (const auto& id : list())
        if (const auto record = records_->find_readable(id); record && record->first_user != 0)
            ranges.insert(record->first_user);
    return ranges;
}

PublishedPorts Runtime::ports_of_others(const ContainerRecord& record) const {
    PublishedPorts ports;
    if (!has_chosen_port(record.spec.service))
        return ports;
    for (const auto& id : list()) {
        const auto other = id == record.id ? nullptr : find(id);
        if (other && !other->ports.empty() && look_at(other).state != ContainerState::exited)
            ports.insert(ports.end(), other->ports.begin(), other->ports.end());
    }
    return ports;
}

void Runtime::renew_ports(ContainerRecord& record) const {
    if (!has_chosen_port(record.spec.service))
        return;
    const sys::Lock lock = hold_records(paths_);
    record = *require(record.id);  // it may have another name by now
    auto ports = decide_ports(record.spec.service, ports_of_others(record), record.ports);
    if (ports == record.ports)
        return;
    record.ports = std::move(ports);
    sys::replace_file(places_of(paths_, record.id).state + "/config.json", encode(record));
}

/// Whoever holds a run lock may come here; never the other way round.
void Runtime::change_record(const std::string& id,
                            const std::function<void(ContainerRecord&)>& change) {
    const sys::Lock lock = hold_records(paths_);
    ContainerRecord record = *require(id);
    change(record);
    sys::replace_file(places_of(paths_, record.id).state + "/config.json", encode(record));
}

void Runtime::rename(const std::string& id, const std::string& name) {
    change_record(id, [&](ContainerRecord& record) {
        check_name(name);
        record.spec.name = name;
    });
}

void Runtime::update(const std::string& id,
                     const Service& service,
                     const std::string& config_digest) {
    ContainerRecordPtr record = require(id);
    const Places places = places_of(paths_, record->id);
    {
        const auto alone = hold_run(places);
        Strings warnings;
        if (read_live(places))
            cgroups_.ensure(places.cgroup, resources_for(service), warnings);
        change_record(record->id, [&](ContainerRecord& fresh) {
            fresh.spec.service.resources = service.resources;
            fresh.spec.service.restart = service.restart;
            fresh.spec.config_digest = config_digest;
        });
        record = require(record->id);
    }
    if (!is_wired(*record, service.networks))
        rewire(record->id, service.networks);
}

std::optional<sys::Fd> Runtime::watch(const std::string& id) const {
    const auto live = read_live(places_of(paths_, id));
    return live ? open_living(*live) : std::nullopt;
}

void Runtime::settle(const std::string& id) {
    const Places places = places_of(paths_, id);
    if (!sys::exists(places.run) || watch(id))
        return;
    const auto lock = sys::Lock::try_acquire(run_lock(places));
    if (!lock || watch(id))
        return;
    clear_run(id);
}

/// What is left of the processes goes.
void Runtime::end_run(const Places& places, const std::optional<Live>& live) {
    if (live)
        sys::reap(live->shim);
    cgroups_.kill(places.cgroup);  // what a shared pid namespace left
}

/// The run lock is held, and nothing of it is to run.
void Runtime::clear_run(const std::string& id) {
    const Places places = places_of(paths_, id);
    const auto live = read_live(places);
    note_end(places, live);
    end_run(places, live);
    cgroups_.remove(places.cgroup);
    networks_.unpublish(id);
    keep_health(places);
    STACK_FAILPOINT("container.settle.files");
    remove_run(places);
}

bool Runtime::is_mounted_by_another(const std::string& volume, const std::string& id) const {
    const auto names = list();
    return std::any_of(names.begin(), names.end(), [&](const std::string& other) {
        const auto record = other == id ? nullptr : find(other);
        return record && mounts_volume(*record, volume);
    });
}

std::optional<sys::ScratchDirectory> Runtime::remove_volume(const std::string& name) {
    // Under it, no container comes that mounts the volume.
    const auto lock = hold_records(paths_);
    for (const auto& id : list())
        if (const auto record = find(id); record && mounts_volume(*record, name))
            throw Error(std::make_error_code(std::errc::device_or_resource_busy),
                        "volume " + name + " is in use by container " + record->spec.name +
                            stack_text(record->spec.project) + ": remove that one first");
    return storage::remove_volume(paths_, name);
}

std::optional<sys::ScratchDirectory> Runtime::remove(const std::string& id,
                                                     bool anonymous_volumes) {
    const Places places = places_of(paths_, id);
    const auto record = records_->find_readable(id);
    // A start that is under way comes to its end first, and none comes after: its record goes.
    const auto run = hold_run(places);
    const auto live = read_live(places);
    // Of one whose record is damaged it is not known how it would be stopped.
    if (record && live && open_living(*live))
        throw Error(std::make_error_code(std::errc::device_or_resource_busy),
                    "container " + record->spec.name + " is running: stop it first");
    if (sys::exists(places.run) || is_lost(places))
        end_run(places, live);  // when and how it ended need not be noted any more
    cgroups_.remove(places.cgroup);
    cgroups_.remove_if_empty(sys::parent_path(places.cgroup));
    STACK_FAILPOINT("container.remove.settled");
    networks_.release(id);
    remove_run(places);
    STACK_FAILPOINT("container.remove.released");
    if (!sys::exists(places.state))
        return std::nullopt;
    sys::ScratchDirectory trash(trash_directory(paths_));
    const auto volumes = hold_records(paths_);
    if (record && anonymous_volumes)
        for (const auto& mount : record->mounts)
            if (const auto volume = storage::find_volume(paths_, mount.source);
                mount.type == MountType::volume && volume && volume->anonymous &&
                !is_mounted_by_another(mount.source, id))
                storage::remove_volume(paths_, mount.source);
    sys::rename(places.state, trash.path() + "/" + id);
    STACK_FAILPOINT("container.remove.renamed");
    return trash;
}

void Runtime::sweep() {
    sys::ScratchDirectory::sweep(making_directory(paths_));
    sys::ScratchDirectory::sweep(trash_directory(paths_));
    sweep_steps(paths_, cgroups_, networks_);
    end_lost_runs();
    records_->tidy(list());
}

void Runtime::set_health(const std::string& id,
                         Health health,
                         int failing_streak,
                         const HealthResult& latest) {
    constexpr std::size_t kept_results = 5;
    const Places places = places_of(paths_, id);
    if (!sys::exists(places.run))
        return;
    HealthRecord record = read_health(places);
    record.health = health;
    record.failing_streak = failing_streak;
    record.log.push_back(latest);
    if (record.log.size() > kept_results)
        record.log.erase(record.log.begin());
    try {
        write_health(places, record);
    } catch (const Error& error) {
        if (error.code() != std::errc::no_such_file_or_directory)
            throw;
        // It has been removed meanwhile.
    }
}

HealthRecord Runtime::health(const std::string& id) const {
    return read_health(places_of(paths_, id));
}

std::optional<Healthcheck> Runtime::healthcheck(const std::string& id) const {
    const auto record = find(id);
    return record ? healthcheck_for(record->spec.service, record->image.config) : std::nullopt;
}

void Runtime::count_restart(const std::string& id) {
    const Places places = places_of(paths_, id);
    change_life(places, [](Life& life) { ++life.restarts; });
}

std::string Runtime::start_error(const std::string& id) const {
    return read_life(places_of(paths_, id)).error;
}

std::string Runtime::log_path(const std::string& id) const {
    return places_of(paths_, id).state + "/log";
}

std::string Runtime::upper_directory(const std::string& id) const {
    return places_of(paths_, id).state + "/upper";
}

std::vector<int> Runtime::processes(const std::string& id) const {
    return cgroups_.processes(places_of(paths_, id).cgroup);
}

}  // namespace stack::runtime
