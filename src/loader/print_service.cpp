#include "loader/print.h"
#include "model/fields.h"

namespace stack::loader {
namespace {

void put_resources(Json& json, const Resources& resources) {
    put(json, "cpus", resources.cpus);
    put(json, "cpu_shares", resources.cpu_shares);
    put(json, "cpu_quota", resources.cpu_quota);
    put(json, "cpu_period", resources.cpu_period);
    put(json, "cpu_rt_runtime", resources.cpu_rt_runtime);
    put(json, "cpu_rt_period", resources.cpu_rt_period);
    put(json, "cpuset", resources.cpuset);
    put_bytes(json, "mem_limit", resources.memory);
    put_bytes(json, "mem_reservation", resources.memory_reservation);
    put_bytes(json, "memswap_limit", resources.memory_swap);
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
    put(json, "label_file", service.label_file);
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
    put_hosts(json, service.extra_hosts);
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
    put_list(json, "secrets", service.secrets, secret_json);
    put_list(json, "configs", service.configs, config_json);
    put(json, "read_only", service.read_only);
    put_bytes(json, "shm_size", service.shm_size);
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
    if (service.provider) {
        put(json["provider"], "type", service.provider->type);
        for (const auto& [name, values] : service.provider->options)
            put(json["provider"]["options"], name.c_str(), values);
    }
    if (service.restart_unhealthy)
        json["x-stack"]["on-unhealthy"] = "restart";
    if (!service.resources.cpuset_mems.empty())
        json["x-stack"]["cpuset-mems"] = service.resources.cpuset_mems;
}

}  // namespace

Json service_json(const Service& service) {
    Json json = Json::object();
    put_process(json, service);
    put_network_side(json, service);
    put_files(json, service);
    put_isolation(json, service);
    put_life(json, service);
    return json;
}

}  // namespace stack::loader
