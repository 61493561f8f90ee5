// What is there of a container, from its files and the kernel.

#include "engine/runtime/description.h"
#include "engine/runtime/process.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace stack::runtime {
namespace {

void add_addresses(ObservedContainer& container, const std::vector<network::HeldAddress>& held) {
    for (const auto& address : held)
        container.addresses.push_back(
            {address.network, address.ipv4, address.ipv6, address.published});
}

/// Those that are published, and behind them, without a port of the host, what else is exposed.
void add_ports(ObservedContainer& container, const ContainerRecord& record) {
    std::set<std::pair<std::uint16_t, Protocol>> published;
    for (const auto& port : record.ports) {
        container.ports.push_back({port.host_ip, port.port, port.target, port.protocol});
        published.emplace(port.target, port.protocol);
    }
    for (const auto& port : exposed_ports(record.spec.service, record.image.config))
        if (!published.contains({port.target, port.protocol}))
            container.ports.push_back({"", 0, port.target, port.protocol});
}

/// The number of a process's namespace; 0 where the process has ended.
ino_t namespace_of(const ObservedContainer& container, const std::string& kind) {
    struct stat status {};

    const std::string path = "/proc/" + std::to_string(container.pid) + "/ns/" + kind;
    return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

/// The id of the service's container that `user` shares the namespace with; "" where none is in it;
/// nullopt where one of them has ended since it was looked at: the next look tells.
std::optional<std::string> lender_in(const std::vector<ObservedContainer>& project,
                                     const ObservedContainer& user,
                                     std::string_view service,
                                     const std::string& kind) {
    const ino_t own = namespace_of(user, kind);
    bool is_known = own != 0;
    for (const auto& other : project) {
        if (other.service != service || other.oneoff || !is_up(other))
            continue;
        const ino_t lent = namespace_of(other, kind);
        if (own != 0 && lent == own)
            return other.id;
        is_known = is_known && lent != 0;
    }
    return is_known ? std::optional(std::string()) : std::nullopt;
}

void add_lenders(std::vector<ObservedContainer>& project) {
    constexpr std::string_view prefix = "service:";
    for (auto& container : project) {
        const Service& service = container.service_config;
        for (const auto& [mode, kind] : {std::pair(&service.network_mode, "net"),
                                         std::pair(&service.pid, "pid"),
                                         std::pair(&service.ipc, "ipc")})
            if (is_up(container) && mode->starts_with(prefix))
                if (auto lender = lender_in(
                        project, container, std::string_view(*mode).substr(prefix.size()), kind))
                    container.lenders.push_back(std::move(*lender));
    }
}

}  // namespace

std::optional<ObservedContainer> Runtime::observe(const std::string& id) const {
    const auto record = records_->find_readable(id);
    if (!record)
        return std::nullopt;
    ObservedContainer seen = look_at(record);
    if (is_up(seen))
        add_addresses(seen, networks_.held_addresses(id));
    return seen;
}

std::vector<ObservedContainer> Runtime::observe_project(const std::string& project) const {
    const Strings ids = list();
    std::vector<ObservedContainer> all;
    all.reserve(ids.size());
    for (const auto& id : ids)
        if (const auto record = records_->find_readable(id);
            record && record->spec.project == project)
            all.push_back(look_at(record));
    if (std::none_of(all.begin(), all.end(), is_up))
        return all;
    // Read after the looks: who was seen to run had its addresses before that.
    const auto held = networks_.held_addresses();
    for (auto& container : all)
        if (const auto own = held.find(container.id); own != held.end() && is_up(container))
            add_addresses(container, own->second);
    add_lenders(all);
    return all;
}

/// All but the addresses.
ObservedContainer Runtime::look_at(const ContainerRecordPtr& held) const {
    const ContainerRecord& record = *held;
    const Places places = places_of(paths_, record.id);
    // In this order: whoever settles a run writes its life before its live record goes. The record
    // is asked for before it is read, for it may appear at any time; it may be of before a reboot.
    const bool ran = sys::exists(places.live_record());
    const auto live = read_live(places);
    const Life life = read_life(places);
    ObservedContainer seen;
    seen.id = record.id;
    seen.name = record.spec.name;
    seen.project = record.spec.project;
    seen.service = record.spec.service.name;
    seen.number = record.spec.number;
    seen.oneoff = record.spec.oneoff;
    seen.config_digest = record.spec.config_digest;
    seen.service_config = {held, record.spec.service};
    seen.anonymous_salt = record.spec.anonymous_salt;
    seen.image = record.spec.image;
    seen.image_id = record.image.id;
    seen.mounted_images = ids_of(record.mounted);
    seen.command = record.command;
    seen.labels = labels_for(record);
    seen.created = record.created;
    seen.started = life.started;  // of the run before, where it is being started again
    seen.finished = life.finished;
    seen.restarts = life.restarts;
    // Docker: what is restarted always is so at the next boot, too, whoever had stopped it.
    const bool stop_is_over = record.spec.service.restart.condition == RestartCondition::always &&
                              life.stopped_boot != sys::boot_id();
    seen.stopped_by_user = life.stopped_by_user && !stop_is_over;
    seen.mounts = record.mounts;
    add_ports(seen, record);
    if (live && open_living(*live)) {
        seen.state =
            cgroups_.frozen(places.cgroup) ? ContainerState::paused : ContainerState::running;
        seen.pid = live->pid;
        seen.started = live->started;
        seen.health = read_health(places).health;
        if (seen.health == Health::none &&
            healthcheck_for(record.spec.service, record.image.config))
            seen.health = Health::starting;
    } else if (ran || life.ended ||
               (life.started_once && (!sys::exists(places.run) || start_was_cut(places)))) {
        // One that is being started has a run directory and no live record yet: still created, and
        // nothing of it may be settled.
        seen.state = ContainerState::exited;
        // In this order, again: the life is written before the exit record goes.
        const auto ended = ran ? read_exit(places) : std::nullopt;
        const Life settled = read_life(places);
        seen.started = live ? live->started : settled.started;
        if (ended) {
            seen.exit = ended->exit;
            seen.finished = ended->finished;
        } else if (settled.ended) {
            seen.exit = settled.exit;
            seen.finished = settled.finished;
        }
    }
    // Asked last: where the end that was seen is part of a restart, that is going on, or it runs
    // by now.
    seen.auto_remove = record.spec.auto_remove && !sys::Lock::is_held(restart_lock(places));
    return seen;
}

Strings Runtime::replaced_files(const ObservedContainer& container) const {
    Strings replaced;
    sys::Fd root;
    for (const auto& mount : container.mounts) {
        struct stat named {};

        struct stat held {};

        if (container.pid == 0 || mount.type != MountType::bind ||
            ::stat(mount.source.c_str(), &named) < 0 || !S_ISREG(named.st_mode))
            continue;
        if (!root)
            root = sys::Fd(::open(("/proc/" + std::to_string(container.pid) + "/root").c_str(),
                                  O_PATH | O_DIRECTORY | O_CLOEXEC));
        const sys::Fd inside = root ? sys::find_in_root(root, mount.target, O_PATH) : sys::Fd();
        if (inside && ::fstat(inside.get(), &held) == 0 &&
            (held.st_dev != named.st_dev || held.st_ino != named.st_ino))
            replaced.push_back(mount.source);
    }
    return replaced;
}

sys::Fd Runtime::network_namespace(const std::string& id) const {
    const auto live = read_live(places_of(paths_, id));
    if (!live)
        return {};
    const std::string path = "/proc/" + std::to_string(live->pid) + "/ns/net";
    sys::Fd network(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return open_living(*live) ? std::move(network)
                              : sys::Fd();  // or the number is another's by now
}

}  // namespace stack::runtime
