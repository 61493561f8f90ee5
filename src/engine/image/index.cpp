#include "engine/image/index.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "sys/file.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

constexpr const char* reference_key = "org.opencontainers.image.ref.name";
constexpr const char* source_key = "dev.stack.build.source";
constexpr const char* remote_key = "dev.stack.remote.digest";
constexpr const char* named_key = "dev.stack.named";  // seconds since the epoch

std::string annotation(const Json& descriptor, const char* key) {
    const auto annotations = descriptor.find("annotations");
    if (annotations == descriptor.end() || !annotations->is_object())
        return {};
    return annotations->value(key, "");
}

Time time_of(const std::string& seconds) {
    return std::chrono::system_clock::from_time_t(parse_number<std::time_t>(seconds).value_or(0));
}

Json descriptor_of(const IndexEntry& entry) {
    Json descriptor = {
        {"mediaType", entry.media_type}, {"digest", entry.digest}, {"size", entry.size}};
    const auto annotate = [&](const char* key, const std::string& value) {
        if (!value.empty())
            descriptor["annotations"][key] = value;
    };
    annotate(reference_key, entry.reference);
    annotate(source_key, entry.source_digest);
    annotate(remote_key, entry.remote_digest);
    if (entry.named != Time{})
        annotate(named_key, std::to_string(std::chrono::system_clock::to_time_t(entry.named)));
    return descriptor;
}

}  // namespace

Index Index::read(const std::string& root) {
    Index index;
    const std::string path = root + "/index.json";
    const auto text = sys::read_file(path);
    if (!text)
        return index;
    const Json json = Json::parse(*text, nullptr, false);
    const auto manifests = json.is_object() ? json.find("manifests") : json.end();
    if (!json.is_object() || manifests == json.end() || !manifests->is_array())
        throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                    path + " is damaged: put back a copy of it, or remove it and pull anew");
    for (const auto& descriptor : *manifests)
        index.entries_.push_back({descriptor.value("digest", ""),
                                  descriptor.value("size", std::int64_t{0}),
                                  descriptor.value("mediaType", ""),
                                  annotation(descriptor, reference_key),
                                  annotation(descriptor, source_key),
                                  annotation(descriptor, remote_key),
                                  time_of(annotation(descriptor, named_key))});
    return index;
}

void Index::write(const std::string& root) const {
    Json manifests = Json::array();
    for (const auto& entry : entries_)
        manifests.push_back(descriptor_of(entry));
    const Json json = {{"schemaVersion", 2}, {"manifests", manifests}};
    STACK_FAILPOINT("image.index");
    sys::replace_file(root + "/index.json", json.dump(2) + "\n", 0644);
}

const IndexEntry* Index::find(const std::string& reference) const {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return entry.reference == reference;
    });
    return reference.empty() || found == entries_.end() ? nullptr : &*found;
}

void Index::name(IndexEntry entry) {
    take_name(entry.reference);
    std::erase_if(entries_, [&](const auto& other) {
        return other.digest == entry.digest && other.reference.empty();
    });
    entries_.push_back(std::move(entry));
}

void Index::keep(IndexEntry entry) {
    const bool known = std::any_of(entries_.begin(), entries_.end(), [&](const auto& other) {
        return other.digest == entry.digest;
    });
    entry.reference.clear();
    if (!known)
        entries_.push_back(std::move(entry));
}

void Index::take_name(const std::string& reference) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
        return entry.reference == reference;
    });
    if (found == entries_.end())
        return;
    const auto same = std::count_if(entries_.begin(), entries_.end(), [&](const auto& other) {
        return other.digest == found->digest;
    });
    if (same > 1)
        entries_.erase(found);
    else
        found->reference.clear();
}

void Index::forget(const std::string& digest) {
    std::erase_if(entries_, [&](const auto& entry) { return entry.digest == digest; });
}

}  // namespace stack::image
