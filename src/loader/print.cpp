// The canonical stack file. What is printed loads again to the same stack.

#include <stack/load.h>

#include "base/text.h"
#include "base/units.h"
#include "model/fields.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

namespace stack {
namespace {

/// Keys stay in the order in which they are written.
using Json = nlohmann::ordered_json;

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
        object[key] = format_duration(*value);
}

void put(Json& object, const char* key, const std::optional<std::int64_t>& value) {
    if (value)
        object[key] = *value;
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

std::string octal(std::uint32_t mode) {
    std::string text;
    for (; mode != 0; mode >>= 3U)
        text.insert(text.begin(), static_cast<char>('0' + (mode & 7U)));
    return "0" + text;
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
    put(tmpfs, "size", mount.tmpfs_size);
    if (mount.tmpfs_mode)
        tmpfs["mode"] = octal(*mount.tmpfs_mode);
    put(json, "tmpfs", tmpfs);
    return json;
}

Json reference_json(const FileReference& reference) {
    Json json;
    put(json, "source", reference.source);
    put(json, "target", reference.target);
    put(json, "uid", reference.uid);
    put(json, "gid", reference.gid);
    if (reference.mode)
        json["mode"] = octal(*reference.mode);
    return json;
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
    put(json, "dockerfile", build.dockerfile);
    put(json, "dockerfile_inline", build.dockerfile_inline);
    put(json, "args", build.args);
    put(json, "target", build.target);
    put(json, "labels", build.labels);
    put(json, "tags", build.tags);
    put(json, "cache_from", build.cache_from);
    put(json, "cache_to", build.cache_to);
    put(json, "additional_contexts", build.additional_contexts);
    put(json, "network", build.network);
    put(json, "extra_hosts", build.extra_hosts);
    put(json, "shm_size", build.shm_size);
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
    put(json, "pull", build.pull);
    put(json, "privileged", build.privileged);
    return json;
}

Json healthcheck_json(const Healthcheck& check) {
    Json json;
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
        put(entry, "command", hook.command);
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

void put_resources(Json& json, const Resources& resources) {
    put(json, "cpus", resources.cpus);
    put(json, "cpu_shares", resources.cpu_shares);
    put(json, "cpu_quota", resources.cpu_quota);
    put(json, "cpu_period", resources.cpu_period);
    put(json, "cpu_rt_runtime", resources.cpu_rt_runtime);
    put(json, "cpu_rt_period", resources.cpu_rt_period);
    put(json, "cpuset", resources.cpuset);
    put(json, "mem_limit", resources.memory);
    put(json, "mem_reservation", resources.memory_reservation);
    put(json, "memswap_limit", resources.memory_swap);
    put(json, "mem_swappiness", resources.memory_swappiness);
    put(json, "pids_limit", resources.pids);
    put(json, "oom_kill_disable", resources.oom_kill_disable);
    put(json, "blkio_config", blkio_json(resources.blkio));
}

/// What `restart:` alone cannot say.
bool needs_long_form(const RestartPolicy& restart) {
    return restart.delay || restart.window ||
           (restart.max_attempts && restart.condition != RestartCondition::on_failure);
}

Json deploy_json(const Service& service) {
    Json json;
    if (service.resources.reserved_cpus)
        put(json["resources"]["reservations"], "cpus", service.resources.reserved_cpus);
    for (const auto& request : service.device_requests) {
        Json entry;
        put(entry, "driver", request.driver);
        if (request.count)
            entry["count"] = *request.count == -1 ? Json("all") : Json(*request.count);
        put(entry, "device_ids", request.device_ids);
        put(entry, "capabilities", request.capabilities);
        put(entry, "options", request.options);
        json["resources"]["reservations"]["devices"].push_back(entry);
    }
    const RestartPolicy& restart = service.restart;
    if (needs_long_form(restart)) {
        Json policy;
        policy["condition"] = restart.condition == RestartCondition::no ? "none"
                              : restart.condition == RestartCondition::always
                                  ? "any"
                                  : std::string(model::name_of(restart.condition));
        put(policy, "delay", restart.delay);
        put(policy, "max_attempts", restart.max_attempts);
        put(policy, "window", restart.window);
        json["restart_policy"] = policy;
    }
    put(json, "update_config", update_json(service.update_config));
    put(json, "rollback_config", update_json(service.rollback_config));
    return json;
}

std::string restart_text(const RestartPolicy& restart) {
    std::string text(model::name_of(restart.condition));
    if (restart.condition == RestartCondition::on_failure && restart.max_attempts)
        text += ":" + std::to_string(*restart.max_attempts);
    return text;
}

Json env_file_json(const EnvFile& file) {
    Json json;
    put(json, "path", file.path);
    json["required"] = file.required;
    put(json, "format", file.format);
    return json;
}

void put_process(Json& json, const Service& service) {
    if (service.build)
        json["build"] = build_json(*service.build);
    put(json, "image", service.image);
    put(json, "pull_policy", service.pull_policy);
    put(json, "platform", service.platform);
    put(json, "command", service.command);
    put(json, "entrypoint", service.entrypoint);
    put(json, "environment", service.environment);
    for (const auto& file : service.env_file)
        json["env_file"].push_back(env_file_json(file));
    put(json, "working_dir", service.working_dir);
    put(json, "user", service.user);
    put(json, "group_add", service.group_add);
    put(json, "tty", service.tty);
    put(json, "stdin_open", service.stdin_open);
    put(json, "init", service.init);
    put(json, "stop_signal", service.stop_signal);
    put(json, "stop_grace_period", service.stop_grace_period);
    put(json, "container_name", service.container_name);
    put(json, "hostname", service.hostname);
    put(json, "domainname", service.domainname);
    put(json, "labels", service.labels);
    put(json, "annotations", service.annotations);
    put(json, "profiles", service.profiles);
}

template <class Item, class Print>
void put_list(Json& json, const char* key, const std::vector<Item>& list, const Print& print) {
    for (const auto& item : list)
        json[key].push_back(print(item));
}

void put_network_side(Json& json, const Service& service) {
    put_list(json, "ports", service.ports, port_json);
    put(json, "expose", service.expose);
    put(json, "networks", attachments_json(service.networks));
    put(json, "network_mode", service.network_mode);
    put(json, "mac_address", service.mac_address);
    for (const auto& [host, addresses] : service.extra_hosts)
        put(json["extra_hosts"], host.c_str(), addresses);
    put(json, "dns", service.dns);
    put(json, "dns_search", service.dns_search);
    put(json, "dns_opt", service.dns_opt);
    put(json, "links", service.links);
    put(json, "external_links", service.external_links);
}

void put_files(Json& json, const Service& service) {
    put_list(json, "volumes", service.volumes, mount_json);
    put(json, "volumes_from", service.volumes_from);
    put(json, "tmpfs", service.tmpfs);
    put_list(json, "secrets", service.secrets, reference_json);
    put_list(json, "configs", service.configs, reference_json);
    put(json, "read_only", service.read_only);
    put(json, "shm_size", service.shm_size);
    put(json, "storage_opt", service.storage_opt);
}

void put_isolation(Json& json, const Service& service) {
    put(json, "privileged", service.privileged);
    put(json, "cap_add", service.cap_add);
    put(json, "cap_drop", service.cap_drop);
    put(json, "security_opt", service.security_opt);
    put_list(json, "devices", service.devices, [](const Device& device) {
        return Json{{"source", device.source},
                    {"target", device.target},
                    {"permissions", device.permissions}};
    });
    put(json, "device_cgroup_rules", service.device_cgroup_rules);
    put(json, "ulimits", ulimits_json(service.ulimits));
    put(json, "sysctls", service.sysctls);
    put(json, "pid", service.pid);
    put(json, "ipc", service.ipc);
    put(json, "uts", service.uts);
    put(json, "cgroup", service.cgroup);
    put(json, "cgroup_parent", service.cgroup_parent);
    put(json, "userns_mode", service.userns_mode);
    put(json, "runtime", service.runtime);
    put(json, "oom_score_adj", service.oom_score_adj);
    put_resources(json, service.resources);
}

void put_life(Json& json, const Service& service) {
    for (const auto& [name, dependency] : service.depends_on) {
        Json entry{{"condition", model::name_of(dependency.condition)}};
        put(entry, "restart", dependency.restart);
        entry["required"] = dependency.required;
        json["depends_on"][name] = entry;
    }
    if (service.healthcheck)
        json["healthcheck"] = healthcheck_json(*service.healthcheck);
    const Json deploy = deploy_json(service);
    if (service.restart.condition != RestartCondition::no && !deploy.contains("restart_policy"))
        json["restart"] = restart_text(service.restart);
    put(json, "scale", service.scale);
    put(json, "deploy", deploy);
    put(json, "pre_start", hooks_json(service.pre_start));
    put(json, "post_start", hooks_json(service.post_start));
    put(json, "pre_stop", hooks_json(service.pre_stop));
    Json logging;
    put(logging, "driver", service.logging.driver);
    put(logging, "options", service.logging.options);
    put(json, "logging", logging);
    if (!service.attach)
        json["attach"] = false;
    for (const auto& rule : service.watch) {
        Json entry;
        put(entry, "path", rule.path);
        put(entry, "action", rule.action);
        put(entry, "target", rule.target);
        put(entry, "ignore", rule.ignore);
        put(entry, "include", rule.include);
        put(entry, "initial_sync", rule.initial_sync);
        if (rule.exec)
            entry["exec"] = hooks_json({*rule.exec})[0];
        json["develop"]["watch"].push_back(entry);
    }
    if (service.restart_unhealthy)
        json["x-stack"] = {{"on-unhealthy", "restart"}};
}

Json service_json(const Service& service) {
    Json json = Json::object();
    put_process(json, service);
    put_network_side(json, service);
    put_files(json, service);
    put_isolation(json, service);
    put_life(json, service);
    return json;
}

Json network_json(const Network& network) {
    Json json;
    put(json, "name", network.name);
    put(json, "driver", network.driver);
    put(json, "driver_opts", network.driver_opts);
    put(json, "external", network.external);
    put(json, "internal", network.internal);
    put(json, "attachable", network.attachable);
    if (!network.enable_ipv4)
        json["enable_ipv4"] = false;
    put(json, "enable_ipv6", network.enable_ipv6);
    if (!network.ipam_driver.empty())
        json["ipam"]["driver"] = network.ipam_driver;
    for (const auto& pool : network.ipam) {
        Json entry;
        put(entry, "subnet", pool.subnet);
        put(entry, "gateway", pool.gateway);
        put(entry, "ip_range", pool.ip_range);
        put(entry, "aux_addresses", pool.aux_addresses);
        json["ipam"]["config"].push_back(entry);
    }
    put(json, "labels", network.labels);
    return json;
}

Json volume_json(const Volume& volume) {
    Json json;
    put(json, "name", volume.name);
    put(json, "driver", volume.driver);
    put(json, "driver_opts", volume.driver_opts);
    put(json, "external", volume.external);
    put(json, "labels", volume.labels);
    return json;
}

Json source_json(const FileSource& source) {
    Json json;
    put(json, "name", source.name);
    put(json, "file", source.file);
    put(json, "environment", source.environment);
    if (source.content && source.environment.empty())
        json["content"] = escaped(*source.content);
    put(json, "external", source.external);
    put(json, "labels", source.labels);
    return json;
}

Json stack_json(const Stack& stack) {
    Json json;
    put(json, "name", stack.name);
    json["services"] = Json::object();
    for (const auto& [name, service] : stack.services)
        json["services"][name] = service_json(service);
    for (const auto& [key, network] : stack.networks)
        json["networks"][key] = network_json(network);
    for (const auto& [key, volume] : stack.volumes)
        json["volumes"][key] = volume_json(volume);
    for (const auto& [key, secret] : stack.secrets)
        json["secrets"][key] = source_json(secret);
    for (const auto& [key, config] : stack.configs)
        json["configs"][key] = source_json(config);
    return json;
}

void emit(YAML::Emitter& out, const Json& json);

void emit_text(YAML::Emitter& out, const std::string& text) {
    static const Strings words{
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", ".inf", ".nan", ""};
    const bool looks_typed = std::find(words.begin(), words.end(), to_lower(text)) != words.end() ||
                             text.starts_with("0x") ||
                             text.find_first_not_of("0123456789.:eE+-_xo") == std::string::npos;
    const bool has_control = std::any_of(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (has_control || looks_typed)
        out << YAML::DoubleQuoted << text;
    else
        out << text;
}

void emit(YAML::Emitter& out, const Json& json) {
    if (json.is_object() && !json.empty()) {
        out << YAML::BeginMap;
        for (const auto& [key, value] : json.items()) {
            out << YAML::Key;
            emit_text(out, key);
            out << YAML::Value;
            emit(out, value);
        }
        out << YAML::EndMap;
    } else if (json.is_array() && !json.empty()) {
        out << YAML::BeginSeq;
        for (const auto& item : json)
            emit(out, item);
        out << YAML::EndSeq;
    } else if (json.is_object()) {
        out << YAML::Flow << YAML::BeginMap << YAML::EndMap;
    } else if (json.is_array()) {
        out << YAML::Flow << YAML::BeginSeq << YAML::EndSeq;
    } else if (json.is_string()) {
        emit_text(out, json.get<std::string>());
    } else if (json.is_null()) {
        out << YAML::Null;
    } else if (json.is_boolean()) {
        out << json.get<bool>();
    } else if (json.is_number_integer()) {
        out << json.get<std::int64_t>();
    } else {
        out << json.dump();  // the shortest text that is the same number
    }
}

}  // namespace

std::string to_yaml(const Stack& stack) {
    YAML::Emitter out;
    out.SetNullFormat(YAML::LowerNull);
    emit(out, stack_json(stack));
    return std::string(out.c_str()) + "\n";
}

std::string to_json_text(const Stack& stack) {
    return stack_json(stack).dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace stack
