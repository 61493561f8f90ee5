// What is known of a container no longer: somebody emptied /run, or damaged its record.

#include "base/log.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"

namespace stack::runtime {

/// Whether processes of it run of which nothing is recorded: somebody has emptied /run. Nobody can
/// take them up again, and none may begin beside them.
bool Runtime::is_lost(const Places& places) const {
    return !sys::exists(places.run) && !cgroups_.processes(places.cgroup).empty();
}

void Runtime::end_lost_runs() {
    for (const auto& id : list()) {
        const Places places = places_of(paths_, id);
        if (!is_lost(places))
            continue;
        const auto run = hold_run(places);
        if (!run || !is_lost(places))
            continue;  // it was being started
        log::warn("container " + id + " runs without a record in " + places.run +
                  ": its processes are ended");
        clear_run(id);
    }
}

Strings Runtime::damaged() const {
    Strings ids;
    for (const auto& id : list())
        if (!records_->find_readable(id) &&
            sys::exists(places_of(paths_, id).state + "/config.json"))
            ids.push_back(id);
    return ids;
}

}  // namespace stack::runtime
