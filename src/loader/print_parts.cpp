// The parts of a service that have a form of their own.

#include "base/text.h"
#include "base/units.h"
#include "loader/paths.h"
#include "loader/print.h"
#include "loader/reader.h"
#include "model/fields.h"
#include "model/native_probe.h"

#include <cmath>

namespace stack::loader {
namespace {

/// As Go writes durations, which scripts that read `config` know: 1m0s, 1.5s, 100ms.
std::string duration_text(Duration duration) {
    using namespace std::chrono;
    if (abs(duration) < seconds(1))
        return format_duration(duration);
    std::string text = duration < Duration(0) ? "-" : "";
    duration = abs(duration);
    const auto whole_hours = duration_cast<hours>(duration);
    const auto whole_minutes = duration_cast<minutes>(duration - whole_hours);
    const auto rest = duration - whole_hours - whole_minutes;
    if (whole_hours.count() != 0)
        text += std::to_string(whole_hours.count()) + "h";
    if (duration >= minutes(1))
        text += std::to_string(whole_minutes.count()) + "m";
    const auto whole_seconds = duration_cast<seconds>(rest);
    text += std::to_string(whole_seconds.count());
    if (const auto part = nanoseconds(rest - whole_seconds).count(); part != 0) {
        std::string digits = std::to_string(part);
        digits.insert(0, 9 - digits.size(), '0');
        text += "." + digits.substr(0, digits.find_last_not_of('0') + 1);
    }
    return text + "s";
}

}  // namespace

/// A dollar in a value must survive the next interpolation.
std::string escaped(const std::string& text) {
    return replace_all(text, "$", "$$");
}

void put(Json& object, const char* key, const std::string& value) {
    if (!value.empty())
        object[key] = escaped(value);
}

void put(Json& object, const char* key, bool value) {
    if (value)
        object[key] = true;
}

void put(Json& object, const char* key, const Strings& value) {
    if (value.empty())
        return;
    Json list = Json::array();
    for (const auto& item : value)
        list.push_back(escaped(item));
    object[key] = std::move(list);
}

void put(Json& object, const char* key, const StringMap& value) {
    for (const auto& [name, item] : value)
        object[key][name] = escaped(item);
}

void put(Json& object,
         const char* key,
         const std::map<std::string, std::optional<std::string>>& value) {
    for (const auto& [name, item] : value)
        object[key][name] = item ? Json(escaped(*item)) : Json();
}

void put(Json& object, const char* key, const std::optional<Strings>& value) {
    if (!value)
        return;
    object[key] = Json::array();
    if (!value->empty())
        put(object, key, *value);
}

void put(Json& object, const char* key, const std::optional<Duration>& value) {
    if (value)
        object[key] = duration_text(*value);
}

void put(Json& object, const char* key, const std::optional<std::int64_t>& value) {
    if (value)
        object[key] = *value;
}

void put_hosts(Json& object, const std::map<std::string, Strings>& hosts) {
    for (const auto& [host, addresses] : hosts)
        for (const auto& address : addresses)
            object["extra_hosts"].push_back(escaped(host + "=" + address));
}

void put_bytes(Json& object, const char* key, const std::optional<std::int64_t>& value) {
    if (value)
        object[key] = std::to_string(*value);
}

void put(Json& object, const char* key, const std::optional<int>& value) {
    if (value)
        object[key] = *value;
}

void put(Json& object, const char* key, const std::optional<double>& value) {
    if (value)
        object[key] =
            std::floor(*value) == *value ? Json(static_cast<std::int64_t>(*value)) : Json(*value);
}

void put(Json& object, const char* key, const Json& value) {
    if (!value.empty())
        object[key] = value;
}

Json port_json(const Port& port) {
    Json json;
    put(json, "name", port.name);
    put(json, "mode", port.mode);
    put(json, "host_ip", port.host_ip);
    json["target"] = port.target;
    put(json, "published", port.published);
    json["protocol"] = model::name_of(port.protocol);
    put(json, "app_protocol", port.app_protocol);
    return json;
}

Json mount_json(const Mount& mount) {
    Json json;
    json["type"] = model::name_of(mount.type);
    put(json, "source", mount.source);
    put(json, "target", mount.target);
    put(json, "read_only", mount.read_only);
    // Short forms take options that belong to another type (`data:/data:Z`): they are kept.
    Json bind;
    put(bind, "propagation", mount.propagation);
    if (mount.type == MountType::bind || !mount.create_host_path)
        bind["create_host_path"] = mount.create_host_path;
    put(bind, "selinux", mount.selinux);
    put(bind, "recursive", mount.recursive);
    put(json, "bind", bind);
    Json volume;
    put(volume, "nocopy", mount.nocopy);
    put(volume, "labels", mount.labels);
    if (mount.type != MountType::image)
        put(volume, "subpath", mount.subpath);
    else if (!mount.subpath.empty())
        put(json["image"], "subpath", mount.subpath);
    put(json, "volume", volume);
    Json tmpfs;
    put_bytes(tmpfs, "size", mount.tmpfs_size);
    if (mount.tmpfs_mode)
        tmpfs["mode"] = *mount.tmpfs_mode;  // a number, as the reference implementation wants it
    put(json, "tmpfs", tmpfs);
    return json;
}

Json config_json(const FileReference& reference) {
    Json json;
    put(json, "source", reference.source);
    put(json, "target", reference.target);
    put(json, "uid", reference.uid);
    put(json, "gid", reference.gid);
    if (reference.mode)
        json["mode"] = octal(*reference.mode);
    return json;
}

Json secret_json(const FileReference& reference) {
    FileReference written = reference;
    if (written.target.empty())
        written.target = default_secret_target(reference.source);
    return config_json(written);
}

Json ulimits_json(const std::map<std::string, Ulimit>& limits) {
    Json json;
    for (const auto& [name, limit] : limits) {
        if (limit.soft == limit.hard)
            json[name] = limit.soft;
        else
            json[name] = {{"soft", limit.soft}, {"hard", limit.hard}};
    }
    return json;
}

Json build_json(const Build& build) {
    Json json;
    put(json, "context", build.context);
    if (build.dockerfile_inline.empty())
        put(json, "dockerfile", build.dockerfile.empty() ? "Dockerfile" : build.dockerfile);
    put(json, "dockerfile_inline", build.dockerfile_inline);
    put(json, "args", build.args);
    put(json, "target", build.target);
    put(json, "labels", build.labels);
    put(json, "tags", build.tags);
    put(json, "cache_from", build.cache_from);
    put(json, "cache_to", build.cache_to);
    put(json, "additional_contexts", build.additional_contexts);
    put(json, "network", build.network);
    put_hosts(json, build.extra_hosts);
    put_bytes(json, "shm_size", build.shm_size);
    put(json, "ulimits", ulimits_json(build.ulimits));
    put(json, "platforms", build.platforms);
    Json secrets = Json::array();
    for (const auto& secret : build.secrets) {
        Json entry;
        put(entry, "source", secret.source);
        put(entry, "target", secret.target);
        secrets.push_back(entry);
    }
    put(json, "secrets", secrets);
    put(json, "ssh", build.ssh);
    put(json, "entitlements", build.entitlements);
    put(json, "isolation", build.isolation);
    put(json, "no_cache", build.no_cache);
    put(json, "no_cache_filter", build.no_cache_filter);
    put(json, "pull", build.pull);
    put(json, "privileged", build.privileged);
    return json;
}

Json healthcheck_json(const Healthcheck& check) {
    Json json;
    if (native_probe(check))
        json["x-stack"][to_lower(check.test.front())] = check.test.back();
    else
        put(json, "test", check.test);
    put(json, "interval", check.interval);
    put(json, "timeout", check.timeout);
    put(json, "start_period", check.start_period);
    put(json, "start_interval", check.start_interval);
    put(json, "retries", check.retries);
    put(json, "disable", check.disabled);
    return json;
}

Json attachments_json(const std::map<std::string, NetworkAttachment>& attachments) {
    Json json;
    for (const auto& [name, attachment] : attachments) {
        Json entry;
        put(entry, "aliases", attachment.aliases);
        put(entry, "ipv4_address", attachment.ipv4_address);
        put(entry, "ipv6_address", attachment.ipv6_address);
        put(entry, "mac_address", attachment.mac_address);
        put(entry, "interface_name", attachment.interface_name);
        put(entry, "link_local_ips", attachment.link_local_ips);
        put(entry, "driver_opts", attachment.driver_opts);
        if (attachment.priority != 0)
            entry["priority"] = attachment.priority;
        if (attachment.gw_priority != 0)
            entry["gw_priority"] = attachment.gw_priority;
        json[name] = entry;
    }
    return json;
}

Json hooks_json(const std::vector<Hook>& hooks) {
    Json list = Json::array();
    for (const auto& hook : hooks) {
        Json entry;
        put(entry, "command", std::optional(hook.command));
        put(entry, "image", hook.image);
        put(entry, "user", hook.user);
        put(entry, "working_dir", hook.working_dir);
        put(entry, "environment", hook.environment);
        put(entry, "privileged", hook.privileged);
        put(entry, "per_replica", hook.per_replica);
        list.push_back(entry);
    }
    return list;
}

Json update_json(const UpdateConfig& update) {
    Json json;
    put(json, "parallelism", update.parallelism);
    put(json, "delay", update.delay);
    put(json, "monitor", update.monitor);
    put(json, "failure_action", update.failure_action);
    put(json, "order", update.order);
    put(json, "max_failure_ratio", update.max_failure_ratio);
    return json;
}

Json blkio_json(const Blkio& blkio) {
    Json json;
    if (blkio.weight != 0)
        json["weight"] = blkio.weight;
    for (const auto& weight : blkio.weight_device)
        json["weight_device"].push_back({{"path", weight.path}, {"weight", weight.weight}});
    const auto rates = [&](const char* key, const std::vector<BlkioRate>& list) {
        for (const auto& rate : list)
            json[key].push_back({{"path", rate.path}, {"rate", rate.rate}});
    };
    rates("device_read_bps", blkio.device_read_bps);
    rates("device_write_bps", blkio.device_write_bps);
    rates("device_read_iops", blkio.device_read_iops);
    rates("device_write_iops", blkio.device_write_iops);
    return json;
}

}  // namespace stack::loader
