#include "cli/single_stack.h"

#include <stack/error.h>
#include <stack/plan.h>

#include "base/text.h"
#include "cli/field_list.h"
#include "cli/gpu_option.h"
#include "cli/mount_option.h"
#include "cli/option_words.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& sentence) {
    throw Error(sentence);
}

/// What the options say, as a stack file.
class StackFile {
  public:
    StackFile(const SingleOptions& options, const SingleContext& context)
        : options_(options), context_(context) {
        if (!options.refusals.empty())
            refuse(join(options.refusals, "\nstack: "));
        if (options.remove && !options.restart.empty() && options.restart != "no")
            refuse("--rm and --restart exclude each other: one that is removed cannot start again");
        add_process();
        add_identity();
        add_networks();
        add_files();
        add_isolation();
        add_limits();
        add_block_limits();
        add_health();
    }

    [[nodiscard]] std::string text() const {
        const Json file = {{"services", {{options_.name, service_}}},
                           {"networks", networks_},
                           {"volumes", volumes_}};
        // A dollar on the command line has been through a shell: it is only a dollar.
        return replace_all(file.dump(-1, ' ', false, Json::error_handler_t::replace), "$", "$$");
    }

  private:
    void put(const char* key, const std::string& value) {
        if (!value.empty())
            service_[key] = value;
    }

    void put(const char* key, const Strings& list) {
        if (!list.empty())
            service_[key] = list;
    }

    void put(const char* key, bool value) {
        if (value)
            service_[key] = true;
    }

    void add_process() {
        put("image", options_.image);
        if (options_.entrypoint)
            service_["entrypoint"] =
                options_.entrypoint->empty() ? Json::array() : Json::array({*options_.entrypoint});
        put("command", options_.command);
        put("environment", options_.environment);
        for (const auto& file : options_.env_files)
            service_["env_file"].push_back({{"path", file}, {"format", "raw"}});
        put("user", options_.user);
        put("group_add", options_.groups);
        put("working_dir", options_.working_dir);
        put("stdin_open", options_.interactive);
        put("tty", options_.terminal);
        put("init", options_.init);
        put("stop_signal", options_.stop_signal);
        constexpr const char* century = "876000h";  // for as long as it takes, as docker has it
        if (options_.stop_timeout)
            service_["stop_grace_period"] =
                *options_.stop_timeout < 0 ? century : std::to_string(*options_.stop_timeout) + "s";
        put("restart", options_.restart);
        put("platform", options_.platform);
    }

    void add_identity() {
        put("hostname", options_.hostname);
        put("domainname", options_.domainname);
        put("labels", options_.labels);
        put("label_file", options_.label_files);
        put("annotations", options_.annotations);
    }

    void add_networks() {
        put("ports", options_.ports);
        put("expose", options_.expose);
        put("extra_hosts", options_.extra_hosts);
        put("dns", options_.dns);
        put("dns_search", options_.dns_search);
        put("dns_opt", options_.dns_options);
        Json attached = Json::object();
        for (const auto& network :
             options_.networks.empty() ? Strings{bridge_network} : options_.networks)
            if (network == "none" || network == "host" || network.starts_with("container:"))
                set_mode(network);
            else
                attach(network, attached);
        if (!attached.empty() && service_.contains("network_mode"))
            refuse("--network " + service_["network_mode"].get<std::string>() +
                   " excludes every other network");
        if (!attached.empty())
            service_["networks"] = attached;
    }

    void set_mode(const std::string& mode) {
        if (!options_.aliases.empty())
            refuse("--network-alias is a name in a network; with --network " + mode +
                   " there is none");
        if (mode.starts_with("container:"))
            refuse_network_options(mode);
        service_["network_mode"] = mode;
    }

    /// They are of the container that has the network.
    void refuse_network_options(const std::string& mode) const {
        const std::initializer_list<std::pair<const char*, bool>> given{
            {"--publish", !options_.ports.empty()},
            {"--publish-all", options_.publish_all},
            {"--expose", !options_.expose.empty()},
            {"--hostname", !options_.hostname.empty()},
            {"--dns", !options_.dns.empty()},
            {"--link", !options_.links.empty()},
            {"--add-host", !options_.extra_hosts.empty()},
            {"--mac-address", !options_.mac_address.empty()}};
        for (const auto& [option, is_given] : given)
            if (is_given)
                refuse(std::string(option) + " and --network " + mode +
                       " exclude each other: say it of that container");
    }

    /// NAME, or name=NAME,alias=…,ip=….
    void attach(const std::string& text, Json& attached) {
        Json attachment = Json::object();
        if (!options_.aliases.empty())
            attachment["aliases"] = options_.aliases;
        if (attached.empty())  // its addresses are those in the first one
            for (const auto& [key, value] : {std::pair("ipv4_address", options_.ip),
                                             std::pair("ipv6_address", options_.ip6),
                                             std::pair("mac_address", options_.mac_address)})
                if (!value.empty())
                    attachment[key] = value;
        std::string name = text;
        if (text.find('=') != std::string::npos) {
            name.clear();
            for (const auto& field : fields_of("--network", text))
                add_field(text, field, name, attachment);
            if (name.empty())
                refuse("--network " + text + ": name=NETWORK is missing");
        }
        if (name == "default")
            name = bridge_network;
        attached[name] = attachment;
        networks_[name] = {{"name", name}};
        if (name != bridge_network)
            networks_[name]["external"] = true;
    }

    static void add_field(const std::string& text,
                          const Field& field,
                          std::string& name,
                          Json& attachment) {
        if (field.name == "name")
            name = field.value;
        else if (field.name == "alias")
            attachment["aliases"].push_back(field.value);
        else if (field.name == "ip")
            attachment["ipv4_address"] = field.value;
        else if (field.name == "ip6")
            attachment["ipv6_address"] = field.value;
        else if (field.name == "mac-address")
            attachment["mac_address"] = field.value;
        else if (field.name == "gw-priority")
            attachment["gw_priority"] = field.value;
        else if (const auto [key, value] = split_once(field.value, '=');
                 field.name == "driver-opt" && !value.empty())
            attachment["driver_opts"][key] = value;
        else
            refuse("--network " + text + ": unknown field " + field.name +
                   "; there are name, alias, ip, ip6, mac-address, gw-priority and "
                   "driver-opt=KEY=VALUE");
    }

    /// A stack file's later mount replaces an earlier one on its target: here that is a mistake.
    std::set<std::string> targets_of(const std::vector<MountOption>& mounts) {
        std::set<std::string> targets;
        const auto add = [&](const std::string& target) {
            if (!targets.insert(clean_target(target)).second)
                refuse("two things are to be mounted on " + target + ": leave one of them away");
        };
        for (const auto& volume : options_.volumes)
            if (const auto parts = split(volume, ':'); parts.size() > 1)
                add(parts[1]);
        for (const auto& [mount, volume] : mounts)
            add(mount.value("target", ""));
        for (const auto& tmpfs : options_.tmpfs)
            add(split_once(tmpfs, ':').first);
        return targets;
    }

    static std::string clean_target(const std::string& target) {
        std::string clean = std::filesystem::path("/" + target + "/.").lexically_normal();
        clean.pop_back();  // the last slash
        return clean;
    }

    void add_files() {
        std::vector<MountOption> mounts;
        for (const auto& text : options_.mounts)
            mounts.push_back(parse_mount_option(text));
        const auto targets = targets_of(mounts);
        for (const auto& volume : options_.volumes) {
            const auto [source, target] = split_once(volume, ':');
            if (target.empty() && targets.contains(clean_target(volume)))
                continue;  // docker: one without a name gives way
            service_["volumes"].push_back(volume);
            if (!target.empty())
                declare_volume(source);
        }
        for (auto& [mount, volume] : mounts) {
            // In a stack file the name of a service would mean that one's image.
            if (mount["type"] == "image" && mount.value("source", "") == options_.name)
                mount["source"] = options_.name + ":latest";
            service_["volumes"].push_back(mount);
            if (mount["type"] == "volume")
                declare_volume(mount.value("source", ""), volume);
        }
        for (const auto& lender : options_.volumes_from)
            service_["volumes_from"].push_back("container:" + lender);
        put("tmpfs", options_.tmpfs);
        put("read_only", options_.read_only);
        put("shm_size", options_.shm_size);
    }

    /// A source that is no path is the name of a volume, made as `wanted` says where it is not
    /// there.
    void declare_volume(const std::string& source, const Json& wanted = Json::object()) {
        if (source.empty() || source.find_first_of("./~") == 0)
            return;
        if (source.find('/') != std::string::npos)
            refuse("\"" + source + "\" is the name of no volume; a path of this machine is ./" +
                   source + " or begins with /");
        const bool is_there = std::find(context_.volumes.begin(), context_.volumes.end(), source) !=
                              context_.volumes.end();
        volumes_[source] = is_there ? Json::object({{"external", true}}) : wanted;
        volumes_[source]["name"] = source;
    }

    void add_isolation() {
        put("privileged", options_.privileged);
        put("cap_add", options_.cap_add);
        put("cap_drop", options_.cap_drop);
        put("security_opt", options_.security_options);
        put("devices", options_.devices);
        for (const auto& text : options_.gpus)
            service_["gpus"].push_back(parse_gpu_option(text));
        put("device_cgroup_rules", options_.device_rules);
        put("sysctls", options_.sysctls);
        put("pid", options_.pid);
        put("ipc", options_.ipc);
        put("uts", options_.uts);
        put("cgroup", options_.cgroup);
        put("userns_mode", options_.userns);
        put("cgroup_parent", options_.cgroup_parent);
    }

    void add_limits() {
        put("mem_limit", options_.memory);
        put("mem_reservation", options_.memory_reservation);
        put("memswap_limit", options_.memory_swap);
        put("mem_swappiness", options_.memory_swappiness);
        put("cpus", options_.cpus);
        put("cpu_shares", options_.cpu_shares);
        put("cpu_period", options_.cpu_period);
        put("cpu_quota", options_.cpu_quota);
        put("cpu_rt_period", options_.cpu_rt_period);
        put("cpu_rt_runtime", options_.cpu_rt_runtime);
        put("cpuset", options_.cpuset);
        if (!options_.cpuset_mems.empty())
            service_["x-stack"]["cpuset-mems"] = options_.cpuset_mems;
        put("pids_limit", options_.pids);
        put("oom_kill_disable", options_.oom_kill_disable);
        put("oom_score_adj", options_.oom_score_adj);
        for (const auto& limit : options_.ulimits) {
            const auto [name, values] = split_once(limit, '=');
            const auto [soft, hard] = split_once(values, ':');
            if (soft.empty())
                refuse("--ulimit " + limit + ": NAME=SOFT[:HARD] is expected, such as nofile=1024");
            service_["ulimits"][name] = {{"soft", soft}, {"hard", hard.empty() ? soft : hard}};
        }
    }

    void add_block_limits() {
        if (!options_.blkio_weight.empty())
            service_["blkio_config"]["weight"] = options_.blkio_weight;
        add_devices(
            "--blkio-weight-device", options_.blkio_weight_devices, "weight_device", "weight");
        add_devices("--device-read-bps", options_.read_bps, "device_read_bps", "rate");
        add_devices("--device-write-bps", options_.write_bps, "device_write_bps", "rate");
        add_devices("--device-read-iops", options_.read_iops, "device_read_iops", "rate");
        add_devices("--device-write-iops", options_.write_iops, "device_write_iops", "rate");
    }

    void add_devices(const std::string& option,
                     const Strings& texts,
                     const char* key,
                     const char* what) {
        for (const auto& text : texts) {
            const auto colon = text.rfind(':');
            if (colon == std::string::npos || colon == 0)
                refuse(option + " " + text + ": a device and its " + what +
                       " are expected, such as /dev/sda:1000");
            service_["blkio_config"][key].push_back(
                {{"path", text.substr(0, colon)}, {what, text.substr(colon + 1)}});
        }
    }

    void add_health() {
        Json check = Json::object();
        const auto set = [&](const char* key, const std::string& value) {
            if (!value.empty())
                check[key] = value;
        };
        if (!options_.health_command.empty())
            check["test"] = {"CMD-SHELL", options_.health_command};
        set("interval", options_.health_interval);
        set("timeout", options_.health_timeout);
        set("start_period", options_.health_start_period);
        set("start_interval", options_.health_start_interval);
        set("retries", options_.health_retries);
        if (options_.no_healthcheck && !check.empty())
            refuse("--no-healthcheck excludes the other --health options");
        if (options_.no_healthcheck)
            check["disable"] = true;
        if (!check.empty())
            service_["healthcheck"] = check;
        if (!options_.log_driver.empty())
            service_["logging"]["driver"] = options_.log_driver;
        for (const auto& option : options_.log_options) {
            const auto [name, value] = split_once(option, '=');
            service_["logging"]["options"][name] = value;
        }
    }

    const SingleOptions& options_;
    const SingleContext& context_;
    Json service_ = Json::object();
    Json networks_ = Json::object();
    Json volumes_ = Json::object();
};

Strings sentences(const Diagnostics& diagnostics, Severity severity, const std::string& name) {
    Strings sentences;
    for (const auto& one : diagnostics)
        if (one.severity == severity)
            sentences.push_back(
                in_option_words(one.message + (one.hint.empty() ? "" : ": " + one.hint), name));
    return sentences;
}

}  // namespace

SingleStack single_stack(const SingleOptions& options, const SingleContext& context) {
    const std::string file = context.directory + "/the command line";
    const std::string text = StackFile(options, context).text();
    LoadInput input;
    input.files = {file};
    input.project_directory = context.directory;
    input.project_name = "single";
    input.environment = context.environment;
    input.read_file = [&](const std::string& path) {
        return path == file ? std::optional(text) : context.read_file(path);
    };
    LoadResult result = load(input);
    if (!result.stack)
        throw Error(
            join(sentences(result.diagnostics, Severity::error, options.name), "\nstack: "));
    SingleStack single{std::move(*result.stack),
                       sentences(result.diagnostics, Severity::warning, options.name)};
    single.stack.name = single_containers;
    single.stack.files.clear();
    return single;
}

}  // namespace stack::cli
