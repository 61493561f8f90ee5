#include "oci/record.h"

#include "sys/file.h"
#include "sys/lock.h"
#include "sys/process.h"
#include "sys/scratch_directory.h"

#include <algorithm>

namespace stack::oci {
namespace {

/// It becomes a part of paths.
void check_id(const std::string& id) {
    const bool is_plain = std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.' || c == '+';
    });
    if (id.empty() || !is_plain || id.front() == '.')
        throw Error("\"" + id +
                    "\" is not an id: letters, digits and _ - + . make one, not a dot first");
}

Error missing(const std::string& id) {
    return {std::make_error_code(std::errc::no_such_file_or_directory),
            "container " + id + " does not exist"};
}

Error taken(const std::string& id) {
    return {std::make_error_code(std::errc::file_exists), "container " + id + " exists already"};
}

Json json_of(const Record& record) {
    return {{"id", record.id},
            {"bundle", record.bundle},
            {"group", record.group},
            {"created", record.created},
            {"pid", record.pid},
            {"pid_started", record.pid_started},
            {"is_created", record.is_created},
            {"owns_group", record.owns_group},
            {"boot_id", record.boot_id}};
}

Json parse(const std::string& path) {
    const auto text = sys::read_file(path);
    Json json = Json::parse(text.value_or(""), nullptr, false);
    if (json.is_discarded())
        throw Error("the record " + path + " is damaged: delete the container with --force");
    return json;
}

}  // namespace

const char* text_of(Status status) {
    switch (status) {
        case Status::creating:
            return "creating";
        case Status::created:
            return "created";
        case Status::running:
            return "running";
        case Status::paused:
            return "paused";
        case Status::stopped:
            break;
    }
    return "stopped";
}

sys::Lock Records::add(const Bundle& bundle, const Record& record) const {
    check_id(record.id);
    sys::ensure_directory(root_, 0711);
    sys::ScratchDirectory made(root_ + "/.new");
    auto lock = sys::Lock::acquire(made.path() + "/lock");
    sys::replace_volatile_file(made.path() + "/config.json", bundle.config.dump());
    sys::replace_volatile_file(made.path() + "/state.json", json_of(record).dump());
    if (!made.move_to(place(record.id)))
        throw taken(record.id);
    return lock;
}

void Records::refuse_taken(const std::string& id) const {
    if (has(id))
        throw taken(id);
}

sys::Lock Records::lock(const std::string& id) const {
    const std::string file = place(id) + "/lock";
    while (has(id)) {
        try {
            auto lock = sys::Lock::acquire(file);
            if (sys::is_open_file(lock.fd(), file))
                return lock;
        } catch (const Error& error) {
            if (error.code() != std::errc::no_such_file_or_directory)
                throw;
        }
        // It was deleted meanwhile, and perhaps another one has its id.
    }
    throw missing(id);
}

void Records::write(const Record& record) const {
    sys::replace_volatile_file(place(record.id) + "/state.json", json_of(record).dump());
}

void Records::write_config(const std::string& id, const Json& config) const {
    sys::replace_volatile_file(place(id) + "/config.json", config.dump());
}

void Records::remove(const std::string& id) const {
    sys::ScratchDirectory grave(root_ + "/.new");
    sys::rename(place(id), grave.path() + "/dead");
}

bool Records::has(const std::string& id) const {
    check_id(id);
    return sys::is_directory(place(id));
}

bool Records::is_damaged(const std::string& id) const {
    try {
        static_cast<void>(read_bundle(read(id)));
        return false;
    } catch (const Error&) {
        return has(id);
    }
}

Record Records::read(const std::string& id) const {
    if (!has(id))
        throw missing(id);
    const Json json = parse(place(id) + "/state.json");
    Record record;
    record.id = id;
    record.bundle = text_of(json, "bundle");
    record.group = text_of(json, "group");
    record.created = text_of(json, "created");
    record.pid = number_of<int>(json, "pid").value_or(0);
    record.pid_started = number_of<std::uint64_t>(json, "pid_started").value_or(0);
    record.is_created = flag_of(json, "is_created");
    record.owns_group = flag_of(json, "owns_group");
    record.boot_id = text_of(json, "boot_id");
    return record;
}

Bundle Records::read_bundle(const Record& record) const {
    return {record.id, record.bundle, parse(place(record.id) + "/config.json")};
}

Strings Records::ids() const {
    Strings ids;
    for (auto& name : sys::list_directory(root_))
        if (!name.starts_with('.'))
            ids.push_back(std::move(name));
    return ids;
}

Status Records::status(const Record& record, const cgroup::Cgroups& cgroups) const {
    const std::string directory = place(record.id);
    // Nobody creates it any more where nobody holds the lock: its creator has died.
    if (!record.is_created)
        return sys::Lock::is_held(directory + "/lock") ? Status::creating : Status::stopped;
    if (!process_of(record))
        return Status::stopped;
    if (cgroups.frozen(record.group))
        return Status::paused;
    return sys::exists(directory + "/start.sock") ? Status::created : Status::running;
}

sys::Fd process_of(const Record& record) {
    if (record.pid == 0 || record.boot_id != sys::boot_id())
        return {};
    sys::Fd process = sys::open_process(record.pid, record.pid_started);
    return process && !sys::has_ended(process) ? std::move(process) : sys::Fd();
}

Json state_of(const Record& record, const Bundle& bundle, Status status) {
    Json state{{"ociVersion", field(bundle.config, "ociVersion")},
               {"id", record.id},
               {"status", text_of(status)},
               {"pid", status == Status::stopped ? 0 : record.pid},
               {"bundle", record.bundle},
               {"annotations", Json::object()}};
    if (const Json& annotations = field(bundle.config, "annotations"); annotations.is_object())
        state["annotations"] = annotations;
    return state;
}

}  // namespace stack::oci
