#include "engine/build/cache.h"

#include "base/failpoint.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <algorithm>
#include <ctime>

#include <nlohmann/json.hpp>

namespace stack::build {
namespace {

constexpr std::size_t most_records = 10000;

}  // namespace

CacheKey& CacheKey::add(std::string_view name, std::string_view value) {
    digest_.update(std::string(name) + " " + std::to_string(value.size()) + " ");
    digest_.update(value);
    return *this;
}

CacheKey& CacheKey::add(std::string_view name, const std::vector<std::string>& values) {
    add(name, std::to_string(values.size()));
    for (const auto& value : values)
        add(name, value);
    return *this;
}

std::optional<std::string> StepCache::read(const std::string& name) const {
    const auto text = sys::read_file(directory_ + "/" + name, 4096);
    if (!text)
        return std::nullopt;
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    const auto layer = json.is_object() ? json.find("layer") : json.end();
    if (!json.is_object() || layer == json.end() || !layer->is_string())
        return std::nullopt;
    return layer->get<std::string>();
}

std::optional<std::string> StepCache::find(const std::string& key) const {
    const std::string name = key + ".json";
    auto layer = read(name);
    if (layer)  // its last use, for prune()
        sys::touch(directory_ + "/" + name);
    return layer;
}

std::optional<sys::PartLock> StepCache::claim(const std::string& key) const {
    constexpr std::size_t digits = 15;  // which make less than 2^62
    constexpr int hexadecimal = 16;
    sys::ensure_directory(directory_, 0700);
    return sys::PartLock::try_acquire(directory_ + ".running",
                                      std::stoull(key.substr(0, digits), nullptr, hexadecimal));
}

std::set<std::string> StepCache::layers() const {
    std::set<std::string> all;
    for (const auto& name : sys::list_directory(directory_))
        if (const auto layer = read(name); layer && !layer->empty())
            all.insert(*layer);
    return all;
}

std::vector<CachedStep> StepCache::steps() const {
    constexpr std::string_view suffix = ".json";
    std::vector<CachedStep> all;
    for (const auto& name : sys::list_directory(directory_)) {
        auto layer = read(name);
        const auto stamp = sys::find_stamp(directory_ + "/" + name);
        if (layer && stamp && name.ends_with(suffix))
            all.push_back({name.substr(0, name.size() - suffix.size()),
                           *std::move(layer),
                           stamp->modified_ns / 1'000'000'000});
    }
    return all;
}

bool StepCache::may_look_after_itself() const {
    constexpr std::int64_t pause = 3600;
    const std::string mark = directory_ + ".looked";
    const auto last = sys::find_stamp(mark);
    if (last && std::time(nullptr) - last->modified_ns / 1'000'000'000 < pause)
        return false;
    sys::replace_volatile_file(mark, "");
    return true;
}

void StepCache::forget(const std::vector<std::string>& keys) const {
    for (const auto& key : keys)
        sys::remove_file(directory_ + "/" + key + ".json");
}

void StepCache::clear() const {
    for (const auto& name : sys::list_directory(directory_))
        sys::remove_file(directory_ + "/" + name);
}

void StepCache::record(const std::string& key, const std::string& diff_id) const {
    sys::ensure_directory(directory_, 0700);
    STACK_FAILPOINT("build.cache.record");
    const auto alone =
        sys::Lock::acquire(directory_ + ".lock");  // builds of the same files are many
    sys::replace_file(directory_ + "/" + key + ".json", nlohmann::json{{"layer", diff_id}}.dump());
    prune();
}

void StepCache::prune() const {
    const auto names = sys::list_directory(directory_);
    if (names.size() <= most_records)
        return;
    std::vector<std::pair<std::int64_t, std::string>> by_age;
    for (const auto& name : names)
        if (const auto stamp = sys::find_stamp(directory_ + "/" + name))
            by_age.emplace_back(stamp->modified_ns, name);
    std::sort(by_age.begin(), by_age.end());
    by_age.resize(std::min(by_age.size(), most_records / 4));
    for (const auto& [age, name] : by_age)
        sys::remove_file(directory_ + "/" + name);
}

}  // namespace stack::build
