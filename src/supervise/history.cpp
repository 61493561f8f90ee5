#include "supervise/history.h"

#include <stack/error.h>

#include "base/log.h"
#include "sys/file.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fcntl.h>
#include <nlohmann/json.hpp>

namespace stack::supervise {
namespace {

constexpr std::int64_t longest_file = 1U << 20U;

bool is_up(const Seen& seen) {
    return seen.state == ContainerState::running || seen.state == ContainerState::paused;
}

/// RFC 3339 with nanoseconds, which sorts as text.
std::string time_text(Time time) {
    constexpr long ns_per_s = 1'000'000'000;
    const auto ns = std::chrono::nanoseconds(time.time_since_epoch()).count();
    const std::time_t seconds = ns / ns_per_s;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> date{};
    std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
    const std::string fraction = std::to_string(ns_per_s + ns % ns_per_s).substr(1);
    return date.data() + fraction + "Z";
}

std::string log_line(const Happening& event) {
    const std::string time = time_text(event.time);
    const nlohmann::json json = {{"time", time},
                                 {"type", "container"},
                                 {"service", event.service},
                                 {"id", event.id},
                                 {"action", event.action},
                                 {"attributes", event.attributes}};
    return time + " stdout F " +
           json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// What happened to one container, from one look to the next.
class Story {
  public:
    Story(std::string id, const Seen& now) : id_(std::move(id)), now_(now) {}

    void tell(const Seen& before) {
        const bool is_new_run = now_.started != before.started && now_.started != Time{};
        if (is_new_run && is_up(before))
            add("die", now_.started);  // its status was gone before anybody looked
        if (is_new_run)
            add("start", now_.started);
        if (now_.state == ContainerState::exited && (is_new_run || is_up(before)))
            tell_end();
        if (!is_new_run && before.state == ContainerState::running &&
            now_.state == ContainerState::paused)
            add("pause", {});
        if (!is_new_run && before.state == ContainerState::paused &&
            now_.state == ContainerState::running)
            add("unpause", {});
        if (is_up(now_) && now_.health != before.health && now_.health == Health::healthy)
            add("health_status: healthy", {});
        if (is_up(now_) && now_.health != before.health && now_.health == Health::unhealthy)
            add("health_status: unhealthy", {});
    }

    void tell_end() {
        if (now_.exit.oom_killed)
            add("oom", now_.finished);
        add("die", now_.finished);
        if (now_.exit.code)
            events.back().attributes["exitCode"] = std::to_string(*now_.exit.code);
        if (now_.stopped_by_user)
            add("stop", now_.finished);
    }

    void tell_removal(bool was_up) {
        if (was_up)
            add("die", {});
        add("destroy", {});
    }

    /// A time of zero is that of the look.
    void add(const std::string& action, Time time) {
        events.push_back(
            {time, now_.service, id_, action, {{"image", now_.image}, {"name", now_.name}}});
    }

    std::vector<Happening> events;

  private:
    std::string id_;
    const Seen& now_;
};

void take(std::vector<Happening>& all, std::vector<Happening> more, Time now) {
    for (auto& event : more) {
        if (event.time == Time{})
            event.time = now;
        all.push_back(std::move(event));
    }
}

}  // namespace

SeenById seen_in(const Observed& observed) {
    SeenById all;
    for (const auto& container : observed.containers)
        all[container.id] = {container.name,
                             container.service,
                             container.image,
                             container.state,
                             container.health,
                             container.exit,
                             container.created,
                             container.started,
                             container.finished,
                             container.stopped_by_user};
    return all;
}

std::vector<Happening> happenings(const SeenById& before, const SeenById& after, Time now) {
    std::vector<Happening> all;
    for (const auto& [id, seen] : before) {
        if (after.contains(id))
            continue;
        Story story(id, seen);
        story.tell_removal(is_up(seen));
        take(all, std::move(story.events), now);
    }
    for (const auto& [id, seen] : after) {
        const auto known = before.find(id);
        if (known != before.end() && known->second == seen)
            continue;
        Story story(id, seen);
        if (known == before.end())
            story.add("create", seen.created);
        story.tell(known == before.end() ? Seen{} : known->second);
        take(all, std::move(story.events), now);
    }
    std::stable_sort(
        all.begin(), all.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    return all;
}

std::string events_file(const Paths& paths, const std::string& project) {
    return paths.run + "/events/" + project;
}

SeenById without_passing(SeenById now, const SeenById& before) {
    for (auto& [id, seen] : now) {
        if (seen.state != ContainerState::created || seen.started == Time{})
            continue;
        const auto known = before.find(id);
        if (known != before.end())
            seen = known->second;
        else
            seen.started = {};
    }
    return now;
}

Happening happening(const ObservedContainer& container, const std::string& action, Time now) {
    return {now,
            container.service,
            container.id,
            action,
            {{"image", container.image}, {"name", container.name}}};
}

void append_happenings(const std::string& file, const std::vector<Happening>& events) {
    std::string lines;
    for (const auto& event : events)
        lines += log_line(event);
    if (lines.empty())
        return;
    try {
        sys::ensure_directory(sys::parent_path(file), 0700);
        if (sys::file_size(file) > longest_file)
            sys::rename(file, file + ".1");
        sys::write_all(sys::open_file(file, O_WRONLY | O_CREAT | O_APPEND, 0600), lines);
    } catch (const Error& error) {
        log::warn(std::string("events are not written to ") + file + ": " + error.what());
    }
}

void History::note(const Observed& observed, Time now) {
    SeenById after = without_passing(seen_in(observed), before_.value_or(SeenById()));
    if (before_ && *before_ != after) {
        auto events = happenings(*before_, after, now);
        std::erase_if(events, [&](const Happening& event) {
            return event.action == "stop" && killed_.contains(event.id);
        });
        append_happenings(file_, events);
    }
    std::erase_if(killed_, [&](const std::string& id) {
        const auto seen = after.find(id);
        return seen == after.end() || !is_up(seen->second) || !seen->second.stopped_by_user;
    });
    before_ = std::move(after);
}

void History::tell(const std::string& action,
                   const std::function<bool(const Seen&)>& is_meant,
                   const std::map<std::string, std::string>& attributes,
                   Time now) {
    std::vector<Happening> events;
    for (const auto& [id, seen] : before_.value_or(SeenById())) {
        if (!is_meant(seen))
            continue;
        if (action == "kill")
            killed_.insert(id);
        events.push_back(
            {now, seen.service, id, action, {{"image", seen.image}, {"name", seen.name}}});
        events.back().attributes.insert(attributes.begin(), attributes.end());
    }
    append_happenings(file_, events);
}

}  // namespace stack::supervise
