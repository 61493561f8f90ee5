// Signals to a container, and the polite end of one.

#include <stack/error.h>

#include "base/log.h"
#include "engine/runtime/process.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"

#include <csignal>
#include <cstdlib>

#include <sys/syscall.h>

namespace stack::runtime {
namespace {

/// A set of signals in /proc/PID/status, all of them where there is no such field.
std::uint64_t signal_set(const std::string& status, const std::string& field) {
    const auto at = status.find(field + ":");
    return at == std::string::npos
               ? ~std::uint64_t{0}
               : std::strtoull(status.c_str() + at + field.size() + 1, nullptr, 16);
}

/// Whether the main thread of a process runs, or waits for a signal: sigwait(3) unblocks what it
/// waits for, so that the sets in its status do not show it. False where that cannot be told.
bool may_await_signals(int pid) {
    const auto text = sys::read_file("/proc/" + std::to_string(pid) + "/syscall").value_or("");
    return text.starts_with("running") ||
           text.starts_with(std::to_string(SYS_rt_sigtimedwait) + " ");
}

/// The signal cannot reach a first process that neither handles nor awaits it: the kernel protects
/// process 1 of a pid namespace (pid_namespaces(7)).
bool would_ignore(int pid, int signal) {
    if (may_await_signals(pid))
        return false;
    const auto status = sys::read_file("/proc/" + std::to_string(pid) + "/status").value_or("");
    const auto heard = signal_set(status, "SigCgt") | signal_set(status, "SigBlk");
    const bool is_deaf = (heard >> static_cast<unsigned int>(signal - 1) & 1U) == 0;
    return is_deaf && !may_await_signals(pid);  // it may have begun to wait in between
}

/// It stays down until a person wants it up again. Returns what to warn of: a container that has
/// filled the disk must still be one that can be stopped.
Strings note_stop(const Places& places) {
    const Life before = read_life(places);
    if (before.stopped_by_user && before.stopped_boot == sys::boot_id())
        return {};
    try {
        change_life(places, [](Life& life) {
            life.stopped_by_user = true;
            life.stopped_boot = sys::boot_id();
        });
        return {};
    } catch (const Error& error) {
        return {std::string("its policy may start it again, for that it is stopped cannot be "
                            "written down: ") +
                error.what()};
    }
}

}  // namespace

Duration Runtime::begin_stop(const std::string& id,
                             std::optional<Duration> timeout,
                             std::optional<int> asked,
                             Strings& warnings) {
    const auto record = require(id);
    const Places places = places_of(paths_, record->id);
    {
        const auto run = hold_run(places);  // a start that is under way comes to its end first
        warnings = note_stop(places);
    }
    const auto live = read_live(places);
    // One that somebody has stopped would never see the end.
    if (const sys::Fd shim = live ? sys::open_process(live->shim, live->shim_started) : sys::Fd())
        sys::send_signal(shim, SIGCONT);
    const sys::Fd process = live ? sys::open_process(live->pid, live->pid_started) : sys::Fd();
    if (!process)
        return Duration::zero();
    if (cgroups_.frozen(places.cgroup))
        cgroups_.freeze(places.cgroup, false);
    const int signal = asked.value_or(stop_signal_for(record->spec.service, record->image.config));
    const auto grace = timeout ? timeout : record->spec.service.stop_grace_period;
    // Who asked for a time gets it: a handler may be on its way.
    const bool deaf = !grace && record->spec.service.pid.empty() && signal != SIGKILL &&
                      would_ignore(live->pid, signal);
    constexpr std::chrono::seconds default_grace{10};
    const Duration patience = deaf ? Duration::zero() : grace.value_or(default_grace);
    if (patience > Duration::zero()) {
        sys::send_signal(process, signal);
        return patience;
    }
    sys::send_signal(process, SIGKILL);
    cgroups_.kill(places.cgroup);
    return Duration::zero();
}

sys::Lock Runtime::hold_for_restart(const std::string& id) const {
    return sys::Lock::acquire(restart_lock(places_of(paths_, require(id)->id)));
}

void Runtime::signal(const std::string& id, int signal) {
    const Places places = places_of(paths_, id);
    const auto live = read_live(places);
    const sys::Fd process = live ? sys::open_process(live->pid, live->pid_started) : sys::Fd();
    if (process) {
        const auto record = require(id);
        if (signal == SIGKILL ||
            signal == stop_signal_for(record->spec.service, record->image.config))
            for (const auto& warning : note_stop(places))
                log::warn("container " + record->spec.name + ": " + warning);
        sys::send_signal(process, signal);
    }
    if (signal == SIGKILL && cgroups_.frozen(places.cgroup))
        cgroups_.freeze(places.cgroup, false);
}

void Runtime::kill(const std::string& id) {
    const Places places = places_of(paths_, id);
    signal(id, SIGKILL);  // first: that it was stopped is written down before it can be seen to end
    cgroups_.kill(places.cgroup);
}

void Runtime::pause(const std::string& id, bool paused) {
    cgroups_.freeze(places_of(paths_, id).cgroup, paused);
}

}  // namespace stack::runtime
