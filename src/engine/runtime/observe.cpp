// What is there of a container, from its files and the kernel.

#include "engine/runtime/description.h"
#include "engine/runtime/process.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"

namespace stack::runtime {

std::optional<ObservedContainer> Runtime::observe(const std::string& id) const {
    const Places places = places_of(paths_, id);
    const auto found = records_->find(id);
    if (!found)
        return std::nullopt;
    const ContainerRecord& record = *found;
    const Life life = read_life(places);
    ObservedContainer seen;
    seen.id = record.id;
    seen.name = record.spec.name;
    seen.project = record.spec.project;
    seen.service = record.spec.service.name;
    seen.number = record.spec.number;
    seen.oneoff = record.spec.oneoff;
    seen.auto_remove = record.spec.auto_remove;
    seen.config_digest = record.spec.config_digest;
    seen.service_config = record.spec.service;
    seen.anonymous_salt = record.spec.anonymous_salt;
    seen.image = record.spec.image;
    seen.image_id = record.image.id;
    seen.command = record.command;
    seen.labels = labels_for(record);
    seen.created = record.created;
    seen.finished = life.finished;
    seen.restarts = life.restarts;
    // Docker: what is restarted always is so at the next boot, too, whoever had stopped it.
    const bool stop_is_over = record.spec.service.restart.condition == RestartCondition::always &&
                              life.stopped_boot != sys::boot_id();
    seen.stopped_by_user = life.stopped_by_user && !stop_is_over;
    seen.mounts = record.mounts;
    for (const auto& port : record.ports)
        seen.ports.push_back({port.host_ip, port.port, port.target, port.protocol});
    // Asked first, for a live record may appear at any time; it may be of before a reboot.
    const bool ran = sys::exists(places.run + "/live.json");
    const auto live = read_live(places);
    if (live && watch(id)) {
        seen.state =
            cgroups_.frozen(places.cgroup) ? ContainerState::paused : ContainerState::running;
        seen.pid = live->pid;
        seen.started = live->started;
        seen.health = read_health(places).health;
        if (seen.health == Health::none &&
            healthcheck_for(record.spec.service, record.image.config))
            seen.health = Health::starting;
        for (const auto& lease : networks_.held_addresses(id))
            seen.addresses.push_back({lease.network, lease.ipv4, lease.ipv6, lease.published});
    } else if (ran || life.ended || (life.started_once && !sys::exists(places.run))) {
        // One that is being started has a run directory and no live record yet: still created, and
        // nothing of it may be settled.
        seen.state = ContainerState::exited;
        const Life settled = read_life(places);  // maybe it has been since the first look
        seen.started = live ? live->started : settled.started;
        if (const auto ended = ran ? read_exit(places) : std::nullopt) {
            seen.exit = ended->exit;
            seen.finished = ended->finished;
        } else if (settled.ended) {
            seen.exit = settled.exit;
            seen.finished = settled.finished;
        }
    }
    return seen;
}

}  // namespace stack::runtime
