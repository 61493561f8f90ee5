#pragma once

// What has happened to a project's containers, told from two looks at them, and kept for `stack
// events`: in a log of the containers' own format (engine/runtime/runtime.h), one JSON object a
// line, at most 2 MiB, until the machine starts anew.

#include <stack/observed.h>
#include <stack/paths.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::supervise {

/// One thing that happened to a container, in docker's words.
struct Happening {
    Time time{};
    std::string service;
    std::string id;
    std::string action;  // create, start, health_status: healthy, pause, unpause, oom, die, stop,
                         // destroy; restart, kill, exec_create: CMD, exec_start: CMD, exec_die
    std::map<std::string, std::string> attributes;  // image, name; exitCode of a die, signal of a
                                                    // kill

    bool operator==(const Happening&) const = default;
};

/// What is remembered of a container until the next look.
struct Seen {
    std::string name;
    std::string service;
    std::string image;
    ContainerState state = ContainerState::created;
    Health health = Health::none;
    ExitStatus exit;
    Time created{};
    Time started{};
    Time finished{};
    bool stopped_by_user = false;

    bool operator==(const Seen&) const = default;
};

using SeenById = std::map<std::string, Seen>;

[[nodiscard]] SeenById seen_in(const Observed& observed);

/// A container that has been started and is neither up nor ended is on its way to one of them, or
/// somebody else is putting its end on record: it counts as what it was before.
[[nodiscard]] SeenById without_passing(SeenById now, const SeenById& before);

/// What must have happened between two looks, the later of them at `now`, in the order of time.
[[nodiscard]] std::vector<Happening> happenings(const SeenById& before,
                                                const SeenById& after,
                                                Time now);

/// <run>/events/<project>: it outlives the project, so that its end is told, too.
[[nodiscard]] std::string events_file(const Paths& paths, const std::string& project);

/// One of those that a look does not show, because it leaves nothing behind.
[[nodiscard]] Happening happening(const ObservedContainer& container,
                                  const std::string& action,
                                  Time now);

/// Adds to the history of `file`; several processes may. What cannot be written is warned of: what
/// happened has happened.
void append_happenings(const std::string& file, const std::vector<Happening>& events);

class History {
  public:
    explicit History(std::string file) : file_(std::move(file)) {}

    /// The first look is where the history begins: what it shows is no news.
    void note(const Observed& observed, Time now);

    /// What a look does not show, of the containers that the last one showed and that are meant.
    void tell(const std::string& action,
              const std::function<bool(const Seen&)>& is_meant,
              const std::map<std::string, std::string>& attributes,
              Time now);

  private:
    std::string file_;
    std::set<std::string> killed_;  // ids: their end is told by the kill, and not as a stop
    std::optional<SeenById> before_;
};

}  // namespace stack::supervise
