#include "engine/storage/volumes.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/tree.h"

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

namespace stack::storage {
namespace {

using Json = nlohmann::json;

std::string volumes_directory(const Paths& paths) {
    return paths.state + "/volumes";
}

std::string directory_of(const Paths& paths, const std::string& name) {
    return volumes_directory(paths) + "/" + name;
}

std::string record_file(const Paths& paths, const std::string& name) {
    return directory_of(paths, name) + "/volume.json";
}

/// One writer: volumes are shared by all projects of an instance.
sys::Lock lock_volumes(const Paths& paths) {
    sys::ensure_directory(volumes_directory(paths), 0711);
    return sys::Lock::acquire(volumes_directory(paths) + "/.lock");
}

/// Docker's rule for names; it also keeps a name from leading out of the directory.
void check_name(const std::string& name) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    constexpr std::size_t longest = 255;
    if (name.size() > longest)
        throw Error("\"" + name.substr(0, 40) + "…\" is not a volume name: it has " +
                    std::to_string(name.size()) + " characters, and " + std::to_string(longest) +
                    " are allowed");
    if (name.empty() || name[0] == '.' || name[0] == '-' ||
        !std::all_of(name.begin(), name.end(), good))
        throw Error("\"" + name +
                    "\" is not a volume name: letters, digits, '_', '.' and '-' are allowed, the "
                    "first a letter, digit or '_'");
}

std::string to_text(const VolumeRecord& record) {
    const Json json = {{"name", record.name},
                       {"project", record.project},
                       {"key", record.key},
                       {"config_digest", record.config_digest},
                       {"driver", record.driver},
                       {"driver_opts", record.driver_opts},
                       {"labels", record.labels},
                       {"created", record.created},
                       {"anonymous", record.anonymous},
                       {"populated", record.populated}};
    return json.dump(2) + "\n";
}

VolumeRecord parse_record(const std::string& text, const std::string& name) {
    const Json json = Json::parse(text, nullptr, false);
    VolumeRecord record;
    record.name = name;
    if (!json.is_object())
        return record;  // a damaged record costs the labels, never the data
    record.project = json.value("project", "");
    record.key = json.value("key", "");
    record.config_digest = json.value("config_digest", "");
    record.driver = json.value("driver", "");
    record.driver_opts = json.value("driver_opts", StringMap{});
    record.labels = json.value("labels", StringMap{});
    record.created = json.value("created", std::time_t{0});
    record.anonymous = json.value("anonymous", false);
    record.populated = json.value("populated", false);
    return record;
}

std::time_t written_at(const std::string& file) {
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    const auto stamp = sys::find_stamp(file);
    return stamp ? static_cast<std::time_t>(stamp->modified_ns / ns_per_s) : 0;
}

bool is_empty(const std::string& directory) {
    return sys::list_directory(directory).empty();
}

}  // namespace

std::optional<VolumeRecord> find_volume(const Paths& paths, const std::string& name) {
    const auto text = sys::read_file(record_file(paths, name));
    if (!text)
        return std::nullopt;
    VolumeRecord record = parse_record(*text, name);
    if (record.created == 0)
        record.created = written_at(record_file(paths, name));
    return record;
}

std::vector<VolumeRecord> list_volumes(const Paths& paths) {
    std::vector<VolumeRecord> records;
    for (const auto& name : sys::list_directory(volumes_directory(paths)))
        if (!name.starts_with('.'))
            if (auto record = find_volume(paths, name))
                records.push_back(std::move(*record));
    return records;
}

void ensure_volume(const Paths& paths, const VolumeRecord& record) {
    check_name(record.name);
    if (find_volume(paths, record.name))
        return;
    const sys::Lock lock = lock_volumes(paths);
    if (find_volume(paths, record.name))
        return;
    STACK_FAILPOINT("volume.mkdir");
    sys::ensure_directory(directory_of(paths, record.name), 0711);
    sys::ensure_directory(directory_of(paths, record.name) + "/_data", 0755);
    STACK_FAILPOINT("volume.record");
    VolumeRecord made = record;
    made.created = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    sys::replace_file(record_file(paths, record.name), to_text(made));
    sys::sync_directory(volumes_directory(paths));
}

std::optional<sys::ScratchDirectory> remove_volume(const Paths& paths, const std::string& name) {
    check_name(name);
    const sys::Lock lock = lock_volumes(paths);
    if (!sys::exists(directory_of(paths, name)))
        return std::nullopt;
    sys::ScratchDirectory trash(volumes_directory(paths) + "/.trash");
    STACK_FAILPOINT("volume.remove");
    sys::rename(directory_of(paths, name), trash.path() + "/" + name);
    sys::sync_directory(volumes_directory(paths));
    return trash;
}

std::string volume_directory(const Paths& paths, const std::string& name) {
    check_name(name);
    std::string data = directory_of(paths, name) + "/_data";
    if (!sys::is_directory(data))
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "volume " + name +
                        " does not exist: `stack up` makes the ones that the stack file declares");
    return data;
}

void populate_volume(const Paths& paths, const std::string& name, const sys::Fd& from) {
    auto record = find_volume(paths, name);
    if (!record || record->populated)
        return;
    const sys::Lock lock = lock_volumes(paths);
    record = find_volume(paths, name);
    if (!record || record->populated)
        return;
    const std::string data = volume_directory(paths, name);
    // The copy grows beside the data and takes its place whole: an interrupted one is seen by
    // nobody.
    const std::string copy = directory_of(paths, name) + "/_copy";
    sys::remove_tree(copy);
    if (from && is_empty(data)) {
        sys::ensure_directory(copy, 0755);
        STACK_FAILPOINT("volume.copy");
        sys::copy_tree(from, sys::open_directory(copy));
        if (!is_empty(copy))
            sys::sync_filesystem(copy);  // the record below says that all of it is there
        STACK_FAILPOINT("volume.publish");
        sys::rename(copy, data);  // an empty directory may be replaced by rename(2)
        sys::sync_directory(directory_of(paths, name));
    }
    record->populated = true;
    STACK_FAILPOINT("volume.record");
    sys::replace_file(record_file(paths, name), to_text(*record));
}

std::string anonymous_volume_name(const std::string& container,
                                  const std::string& target,
                                  const std::string& salt) {
    return sha256_hex(container + '\0' + target + '\0' + salt);
}

bool is_anonymous_name(const std::string& name) {
    constexpr std::size_t digest_digits = 64;
    return name.size() == digest_digits &&
           name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace stack::storage
