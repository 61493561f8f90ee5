#pragma once

// What has happened to a project's containers, told from two looks at them, and kept for `stack
// events`: in a log of the containers' own format (engine/runtime/runtime.h), one JSON object a
// line, at most 2 MiB, until the machine starts anew.

#include <stack/observed.h>
#include <stack/paths.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stack::supervise {

/// One thing that happened to a container, in docker's words.
struct Happening {
    Time time{};
    std::string service;
    std::string id;
    std::string action;  // create, start, health_status: healthy, pause, unpause, oom, die, stop,
                         // destroy
    std::map<std::string, std::string> attributes;  // image, name; exitCode of a die

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

/// What must have happened between two looks, the later of them at `now`, in the order of time.
[[nodiscard]] std::vector<Happening> happenings(const SeenById& before,
                                                const SeenById& after,
                                                Time now);

/// <run>/events/<project>: it outlives the project, so that its end is told, too.
[[nodiscard]] std::string events_file(const Paths& paths, const std::string& project);

class History {
  public:
    explicit History(std::string file) : file_(std::move(file)) {}

    /// The first look is where the history begins: what it shows is no news.
    void note(const Observed& observed, Time now);

  private:
    void append(const std::string& lines) const;

    std::string file_;
    std::optional<SeenById> before_;
};

}  // namespace stack::supervise
