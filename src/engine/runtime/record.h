#pragma once

// What is known of a container, on disk (files: runtime.h).

#include <stack/paths.h>

#include "engine/runtime/runtime.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stack::runtime {

/// Places of one container.
struct Places {
    std::string state;   // <state>/containers/<id>
    std::string run;     // <run>/containers/<id>
    std::string cgroup;  // relative to the cgroup mount

    [[nodiscard]] std::string live_record() const { return run + "/live.json"; }
};

[[nodiscard]] Places places_of(const Paths& paths, const std::string& id);

/// Held by whoever mounts the files of the container, until others can see that they are in use.
[[nodiscard]] std::string files_lock(const Places& places);

/// Held by whoever makes or clears the run directory of the container; of a start until its shim
/// has written the live record.
[[nodiscard]] std::string run_lock(const Places& places);
/// The run lock, held: nobody starts, settles, rewires or removes the container. nullopt where it
/// is not there (any more).
[[nodiscard]] std::optional<sys::Lock> hold_run(const Places& places);

/// Held over a restart that a person asked for: the end in it is not the container's last.
[[nodiscard]] std::string restart_lock(const Places& places);

/// Whether whoever started it died over that.
[[nodiscard]] bool start_was_cut(const Places& places);

[[nodiscard]] std::string encode(const ContainerRecord& record);
/// Throws stack::Error where `text` is not such a record.
[[nodiscard]] ContainerRecord decode_record(const std::string& text);

/// The records of an instance, each read again only when it was replaced: looking at every
/// container, as each round of a supervisor does, costs a stat(2) each.
class Records {
  public:
    explicit Records(Paths paths) : paths_(std::move(paths)) {}

    /// nullptr where there is none. One that has been damaged since it was read is written anew.
    [[nodiscard]] ContainerRecordPtr find(const std::string& id);
    /// The same for those who look at all: one damaged record keeps nobody from the others.
    [[nodiscard]] ContainerRecordPtr find_readable(const std::string& id);

    /// Forgets those that are not among `ids`, and moves the others together where some have come:
    /// they were read amidst what has gone since, and would keep its pages.
    void tidy(std::vector<std::string> ids);

  private:
    struct Entry {
        sys::FileStamp stamp;
        ContainerRecordPtr record;
    };

    Paths paths_;
    std::map<std::string, Entry> entries_;
    bool grown_ = false;  // since it was tidied
};

/// What has become of it, over all its starts.
struct Life {
    int restarts = 0;
    bool stopped_by_user = false;
    std::string stopped_boot;  // boot id of when that was
    bool started_once = false;
    bool ended = false;  // false: it has not run yet, or runs, or ended unseen
    ExitStatus exit;
    Time started{};
    Time finished{};
    std::string error;  // why its last start failed; empty: it did not
};

[[nodiscard]] Life read_life(const Places& places);
/// Reads, changes and writes it, alone: who stops a run and who settles it may come at once, and
/// neither may undo what the other has written.
void change_life(const Places& places, const std::function<void(Life&)>& change);

/// What the shim wrote when it started; nullopt where nothing runs or that was before a reboot.
struct Live {
    int pid = 0;
    std::uint64_t pid_started = 0;
    int shim = 0;
    std::uint64_t shim_started = 0;
    Time started{};
};

[[nodiscard]] std::optional<Live> read_live(const Places& places);

/// The shim, or where that has gone the init; nullopt where both have ended.
[[nodiscard]] std::optional<sys::Fd> open_living(const Live& live);

struct Ended {
    ExitStatus exit;
    Time finished{};
};

/// Also of a run that a restart of the machine came after.
[[nodiscard]] std::optional<Ended> read_exit(const Places& places);

/// Of the run that goes on, or else of the last one.
[[nodiscard]] HealthRecord read_health(const Places& places);
/// Makes it part of what stays when the run is over, where there is room for it.
void keep_health(const Places& places);
void write_health(const Places& places, const HealthRecord& record);

}  // namespace stack::runtime
