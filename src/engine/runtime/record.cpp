#include "engine/runtime/record.h"

#include <stack/error.h>

#include "base/log.h"
#include "model/codec.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/process.h"

#include <algorithm>
#include <utility>

namespace stack::network {

void visit_fields(model::Is<PublishedPort> auto& v, auto&& field) {
    field("host_ip", v.host_ip), field("port", v.port), field("target", v.target),
        field("protocol", v.protocol);
}

}  // namespace stack::network

namespace stack::runtime {

void visit_fields(model::Is<ImageView> auto& v, auto&& field) {
    field("id", v.id), field("config", v.config), field("lowers", v.lowers);
}

void visit_fields(model::Is<MountedImage> auto& v, auto&& field) {
    field("id", v.id), field("lowers", v.lowers);
}

void visit_fields(model::Is<ContainerRecord> auto& v, auto&& field) {
    field("id", v.id), field("spec", v.spec), field("image", v.image), field("ports", v.ports);
    field("command", v.command), field("mounts", v.mounts), field("mounted", v.mounted);
    field("first_user", v.first_user);
}

namespace {

using model::Json;

std::string life_record(const Places& places) {
    return places.state + "/life.json";
}

Json read_json(const std::string& path) {
    const auto text = sys::read_file(path);
    return text ? Json::parse(*text, nullptr, false) : Json();
}

std::int64_t nanoseconds(Time time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

Time time_of(const Json& json, const char* name) {
    return Time(std::chrono::duration_cast<Time::duration>(
        std::chrono::nanoseconds(json.value(name, std::int64_t{0}))));
}

Json exit_json(const ExitStatus& exit) {
    return {{"code", exit.code ? Json(*exit.code) : Json()},
            {"signal", exit.signal},
            {"oom_killed", exit.oom_killed}};
}

ExitStatus exit_of(const Json& json) {
    ExitStatus exit;
    if (const auto code = json.find("code"); code != json.end() && code->is_number_integer())
        exit.code = code->get<int>();
    exit.signal = json.value("signal", 0);
    exit.oom_killed = json.value("oom_killed", false);
    return exit;
}

}  // namespace

Places places_of(const Paths& paths, const std::string& id) {
    const std::string instance = paths.instance.empty() ? "stack" : "stack-" + paths.instance;
    return {
        paths.state + "/containers/" + id, paths.run + "/containers/" + id, instance + "/" + id};
}

std::string files_lock(const Places& places) {
    return places.state + "/files.lock";
}

std::string run_lock(const Places& places) {
    return places.state + "/run.lock";
}

std::string restart_lock(const Places& places) {
    return places.state + "/restart.lock";
}

std::optional<sys::Lock> hold_run(const Places& places) {
    const std::string file = run_lock(places);
    while (sys::exists(places.state)) {
        try {
            auto lock = sys::Lock::acquire(file);
            if (sys::is_open_file(lock.fd(), file))
                return lock;
        } catch (const Error& error) {
            if (error.code() != std::errc::no_such_file_or_directory)
                throw;
        }
    }
    return std::nullopt;
}

bool start_was_cut(const Places& places) {
    // In this order: a start that comes through meanwhile leaves its live record first.
    return sys::exists(places.run) && !sys::Lock::is_held(run_lock(places)) &&
           !sys::exists(places.live_record());
}

std::string encode(const ContainerRecord& record) {
    Json json = model::encode(record);
    json["created"] = nanoseconds(record.created);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

ContainerRecord decode_record(const std::string& text) {
    try {
        const Json json = Json::parse(text);
        ContainerRecord record;
        model::decode(json, record);
        record.created = time_of(json, "created");
        return record;
    } catch (const Json::exception& error) {
        throw Error(std::string("the record of a container cannot be read: ") + error.what());
    }
}

ContainerRecordPtr Records::find(const std::string& id) {
    const std::string file = places_of(paths_, id).state + "/config.json";
    const auto stamp = sys::find_stamp(file);
    const auto known = entries_.find(id);
    if (stamp && known != entries_.end() && known->second.stamp == *stamp)
        return known->second.record;
    const auto text = stamp ? sys::read_file(file) : std::nullopt;
    if (!text) {
        entries_.erase(id);
        return nullptr;
    }
    try {
        auto record = std::make_shared<const ContainerRecord>(decode_record(*text));
        entries_[id] = {*stamp, record};
        grown_ = true;
        return record;
    } catch (const Error& error) {
        if (known != entries_.end()) {
            log::warn("container " + id + ": " + error.what() + ", writing it down anew");
            sys::replace_file(file, encode(*known->second.record));
            return known->second.record;
        }
        throw Error("container " + id + ": " + error.what() + "; remove " +
                    places_of(paths_, id).state + " and bring its stack up again");
    }
}

ContainerRecordPtr Records::find_readable(const std::string& id) {
    try {
        return find(id);
    } catch (const Error& error) {
        log::warn(error.what());
        return nullptr;
    }
}

void Records::tidy(std::vector<std::string> ids) {
    std::sort(ids.begin(), ids.end());
    std::erase_if(entries_, [&](const auto& entry) {
        return !std::binary_search(ids.begin(), ids.end(), entry.first);
    });
    if (!std::exchange(grown_, false))
        return;
    std::vector<ContainerRecordPtr> copies;  // all of them before the first original goes
    for (const auto& [id, entry] : entries_)
        copies.push_back(std::make_shared<const ContainerRecord>(*entry.record));
    auto copy = copies.begin();
    for (auto& [id, entry] : entries_)
        entry.record = std::move(*copy++);
}

Life read_life(const Places& places) {
    const Json json = read_json(life_record(places));
    Life life;
    if (!json.is_object()) {
        // A power cut soon after a first start can leave an empty file: it had been started then.
        life.started_once = sys::exists(life_record(places));
        return life;
    }
    life.restarts = json.value("restarts", 0);
    life.stopped_by_user = json.value("stopped_by_user", false);
    life.stopped_boot = json.value("stopped_boot", "");
    life.started_once = json.value("started_once", false);
    life.ended = json.value("ended", false);
    life.exit = exit_of(json.value("exit", Json::object()));
    life.started = time_of(json, "started");
    life.finished = time_of(json, "finished");
    life.error = json.value("error", "");
    return life;
}

void change_life(const Places& places, const std::function<void(Life&)>& change) {
    const auto alone = sys::Lock::acquire(places.state + "/life.lock");
    Life life = read_life(places);
    change(life);
    const Json json = {{"restarts", life.restarts},
                       {"stopped_by_user", life.stopped_by_user},
                       {"stopped_boot", life.stopped_boot},
                       {"started_once", life.started_once},
                       {"ended", life.ended},
                       {"exit", exit_json(life.exit)},
                       {"started", nanoseconds(life.started)},
                       {"finished", nanoseconds(life.finished)},
                       {"error", life.error}};
    // Not fsynced, see read_life().
    sys::replace_volatile_file(life_record(places),
                               json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<Live> read_live(const Places& places) {
    const Json json = read_json(places.live_record());
    if (!json.is_object() || json.value("boot_id", "") != sys::boot_id())
        return std::nullopt;
    Live live;
    live.pid = json.value("pid", 0);
    live.pid_started = json.value("pid_started", std::uint64_t{0});
    live.shim = json.value("shim", 0);
    live.shim_started = json.value("shim_started", std::uint64_t{0});
    live.started = time_of(json, "started");
    return live;
}

std::optional<sys::Fd> open_living(const Live& live) {
    if (sys::Fd shim = sys::open_process(live.shim, live.shim_started);
        shim && !sys::has_ended(shim))
        return shim;
    if (sys::Fd init = sys::open_process(live.pid, live.pid_started); init && !sys::has_ended(init))
        return init;
    return std::nullopt;
}

std::optional<Ended> read_exit(const Places& places) {
    const Json json = read_json(places.run + "/exit.json");
    if (!json.is_object())
        return std::nullopt;
    return Ended{exit_of(json), time_of(json, "finished")};
}

HealthRecord read_health(const Places& places) {
    const Json json =
        read_json((sys::exists(places.run) ? places.run : places.state) + "/health.json");
    HealthRecord record;
    if (json.is_object()) {
        model::decode(json.value("health", Json("none")), record.health);
        record.failing_streak = json.value("failing_streak", 0);
        for (const auto& result : json.value("log", Json::array()))
            record.log.push_back({time_of(result, "start"),
                                  time_of(result, "end"),
                                  result.value("exit_code", 0),
                                  result.value("output", "")});
    }
    return record;
}

void keep_health(const Places& places) {
    const auto text = sys::read_file(places.run + "/health.json");
    if (!text || !sys::exists(places.state))
        return;
    try {
        sys::replace_volatile_file(places.state + "/health.json", *text);
    } catch (const Error& error) {
        log::warn(error.what());  // an end needs no room on the disk
    }
}

void write_health(const Places& places, const HealthRecord& record) {
    Json log = Json::array();
    for (const auto& result : record.log)
        log.push_back({{"start", nanoseconds(result.start)},
                       {"end", nanoseconds(result.end)},
                       {"exit_code", result.exit_code},
                       {"output", result.output}});
    const Json json = {{"health", model::encode(record.health)},
                       {"failing_streak", record.failing_streak},
                       {"log", log}};
    // What a check prints may be any bytes.
    sys::replace_volatile_file(places.run + "/health.json",
                               json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace stack::runtime
