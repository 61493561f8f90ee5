// The configuration of an image (OCI image-spec config.md, with Docker's extras), to and from JSON.

#include <stack/error.h>

#include "base/text.h"
#include "engine/image/document.h"
#include "engine/image/manifest.h"
#include "engine/image/store.h"
#include "model/platform.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <limits>

#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

/// What the kernel takes as a string ends at its first NUL.
bool is_text(const Json& value) {
    return value.is_string() && value.get_ref<const std::string&>().find('\0') == std::string::npos;
}

std::string text(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && is_text(*found) ? found->get<std::string>() : "";
}

Strings strings(const Json& object, const char* key) {
    Strings list;
    const auto found = object.find(key);
    if (found == object.end() || !found->is_array())
        return list;
    for (const auto& item : *found)
        if (is_text(item))
            list.push_back(item.get<std::string>());
    return list;
}

Strings keys(const Json& object, const char* key) {
    Strings list;
    const auto found = object.find(key);
    if (found != object.end() && found->is_object())
        for (const auto& [name, value] : found->items())
            list.push_back(name);
    return list;
}

/// `NAME=VALUE` alone: elsewhere a name without a value means the host's own (CVE-2026-57231).
Strings variables(const Json& object, const char* key) {
    Strings list = strings(object, key);
    std::erase_if(list, [](const std::string& entry) {
        const auto equals = entry.find('=');
        return equals == std::string::npos || equals == 0;
    });
    return list;
}

/// nullopt where it is no integer, or none of that range.
std::optional<std::int64_t> number(const Json& object,
                                   const char* key,
                                   std::int64_t least,
                                   std::int64_t most) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer())
        return std::nullopt;
    const auto value = found->get<std::int64_t>();
    const bool wraps = found->is_number_unsigned() && value < 0;
    return wraps || value < least || value > most ? std::nullopt : std::optional(value);
}

/// Nanoseconds. What is too short to be meant (0 is how Docker says it) is the default, as less
/// than Docker's least would keep a processor busy.
std::optional<Duration> duration(const Json& object, const char* key) {
    constexpr Duration least = std::chrono::milliseconds(1);
    constexpr Duration most = std::chrono::hours(24 * 365);
    const auto count = number(object, key, least.count(), most.count());
    return count ? std::optional(Duration(*count)) : std::nullopt;
}

std::optional<Healthcheck> healthcheck(const Json& config) {
    const auto found = config.find("Healthcheck");
    if (found == config.end() || !found->is_object())
        return std::nullopt;
    Healthcheck check;
    check.test = strings(*found, "Test");
    check.interval = duration(*found, "Interval");
    check.timeout = duration(*found, "Timeout");
    check.start_period = duration(*found, "StartPeriod");
    check.start_interval = duration(*found, "StartInterval");
    if (const auto retries = number(*found, "Retries", 0, std::numeric_limits<int>::max()))
        check.retries = static_cast<int>(*retries);
    return check;
}

Json health_json(const Healthcheck& check) {
    Json json = {{"Test", check.test}};
    const auto set = [&](const char* key, const std::optional<Duration>& value) {
        if (value)
            json[key] = value->count();
    };
    set("Interval", check.interval);
    set("Timeout", check.timeout);
    set("StartPeriod", check.start_period);
    set("StartInterval", check.start_interval);
    if (check.retries)
        json["Retries"] = *check.retries;
    return json;
}

void set_or_erase(Json& object, const char* key, const Json& value) {
    if (value.empty())
        object.erase(key);
    else
        object[key] = value;
}

Json as_set(const Strings& names) {
    Json object = Json::object();
    for (const auto& name : names)
        object[name] = Json::object();
    return object;
}

std::string rfc3339(Time time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> buffer{};
    std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return buffer.data();
}

/// The last step made the image: where it has no time, that is the image's.
Json dated(Json history, Time created) {
    if (history.is_array() && !history.empty() && history.back().is_object() &&
        !history.back().contains("created"))
        history.back()["created"] = rfc3339(created);
    return history;
}

[[noreturn]] void refuse_nul(const std::string& place) {
    throw Error("the configuration of the image: " + place +
                " has a NUL byte in it, where any program would see its end");
}

/// The string, strings or names at a key.
void check_text(const Json& object, const std::string& key, const std::string& place) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (found == object.end())
        return;
    const std::string here = place + "." + key;
    if (found->is_string() && !is_text(*found))
        refuse_nul(here);
    if (found->is_object())
        for (const auto& [name, value] : found->items())
            if (name.find('\0') != std::string::npos)
                refuse_nul("a name in " + here);
    if (!found->is_array())
        return;
    for (std::size_t i = 0; i < found->size(); ++i)
        if ((*found)[i].is_string() && !is_text((*found)[i]))
            refuse_nul(here + "[" + std::to_string(i) + "]");
}

}  // namespace

ImageConfig parse_config(const std::string& json_text) {
    const Json json = parse_document(json_text, "the configuration of the image");
    if (!json.is_object())
        throw Error("the configuration of the image is not a JSON object");
    ImageConfig config;
    config.os = text(json, "os");
    config.architecture = text(json, "architecture");
    config.variant = text(json, "variant");
    const auto found = json.find("config");
    if (found == json.end() || !found->is_object())
        return config;
    config.entrypoint = strings(*found, "Entrypoint");
    config.command = strings(*found, "Cmd");
    config.environment = variables(*found, "Env");
    config.user = text(*found, "User");
    config.working_dir = text(*found, "WorkingDir");
    config.stop_signal = text(*found, "StopSignal");
    config.volumes = keys(*found, "Volumes");
    config.exposed_ports = keys(*found, "ExposedPorts");
    config.shell = strings(*found, "Shell");
    config.on_build = strings(*found, "OnBuild");
    config.healthcheck = healthcheck(*found);
    if (const auto labels = found->find("Labels"); labels != found->end() && labels->is_object())
        for (const auto& [name, value] : labels->items())
            if (is_text(value))
                config.labels[name] = value.get<std::string>();
    return config;
}

void check_config(const std::string& json_text) {
    const Json json = parse_document(json_text, "the configuration of the image");
    const auto config = json.find("config");
    if (config == json.end() || !config->is_object())
        return;
    for (const auto* key : {"User",
                            "WorkingDir",
                            "StopSignal",
                            "Entrypoint",
                            "Cmd",
                            "Env",
                            "Shell",
                            "OnBuild",
                            "Volumes",
                            "ExposedPorts"})
        check_text(*config, key, "config");
    if (const auto check = config->find("Healthcheck"); check != config->end())
        check_text(*check, "Test", "config.Healthcheck");
}

std::string platform_of(const ImageConfig& image) {
    return image.os + "/" + image.architecture + (image.variant.empty() ? "" : "/" + image.variant);
}

bool is_for(const ImageConfig& image, const std::string& platform) {
    return model::fits_platform(platform_of(image), platform);
}

std::string make_config(const std::string& base,
                        const ImageConfig& config,
                        const std::vector<std::string>& diff_ids,
                        const std::string& history_json,
                        Time created) {
    Json json = parse_document(base.empty() ? "{}" : base, "the configuration of the image");
    if (!json.is_object())
        json = Json::object();
    json["os"] = config.os.empty() ? "linux" : config.os;
    json["architecture"] = config.architecture.empty() ? "amd64" : config.architecture;
    json["created"] = rfc3339(created);
    json["rootfs"] = {{"type", "layers"}, {"diff_ids", diff_ids}};
    if (!history_json.empty())
        json["history"] = dated(Json::parse(history_json, nullptr, false), created);
    Json& inner = json["config"];
    if (!inner.is_object())
        inner = Json::object();
    set_or_erase(inner, "Entrypoint", config.entrypoint);
    set_or_erase(inner, "Cmd", config.command);
    set_or_erase(inner, "Env", config.environment);
    set_or_erase(inner, "User", config.user.empty() ? Json() : Json(config.user));
    set_or_erase(
        inner, "WorkingDir", config.working_dir.empty() ? Json() : Json(config.working_dir));
    set_or_erase(
        inner, "StopSignal", config.stop_signal.empty() ? Json() : Json(config.stop_signal));
    set_or_erase(inner, "Volumes", as_set(config.volumes));
    set_or_erase(inner, "ExposedPorts", as_set(config.exposed_ports));
    set_or_erase(inner, "Labels", config.labels);
    set_or_erase(inner, "Shell", config.shell);
    set_or_erase(inner, "OnBuild", config.on_build);
    set_or_erase(
        inner, "Healthcheck", config.healthcheck ? health_json(*config.healthcheck) : Json());
    json.erase("container");
    json.erase("container_config");
    json.erase("id");
    json.erase("parent");
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace stack::image
