#include "cli/single_stack.h"

#include <stack/error.h>
#include <stack/plan.h>

#include "base/text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& sentence) {
    throw Error(sentence);
}

/// NAME=VALUE pairs, comma-separated; a name alone is true.
StringMap fields_of(const std::string& text) {
    StringMap fields;
    for (const auto& part : split(text, ',')) {
        const auto [name, value] = split_once(part, '=');
        fields[to_lower(name)] = part.find('=') == std::string::npos ? "true" : value;
    }
    return fields;
}

bool is_true(const std::string& option, const std::string& name, const std::string& value) {
    if (value == "true" || value == "1")
        return true;
    if (value == "false" || value == "0")
        return false;
    refuse(option + ": " + name + " is true or false, not \"" + value + "\"");
}

/// One --mount, as the stack file's long form.
class MountOption {
  public:
    explicit MountOption(const std::string& text) : text_(text) {
        for (const auto& [name, value] : fields_of(text))
            add(name, value);
        if (!mount_.contains("type"))
            mount_["type"] = "volume";
        if (!mount_.contains("target"))
            refuse("--mount " + text + ": target=PATH is missing");
        if (mount_["type"] == "bind")
            mount_["bind"]["create_host_path"] = false;
    }

    [[nodiscard]] const Json& json() const { return mount_; }

  private:
    void add(const std::string& name, const std::string& value) {
        if (name == "type")
            mount_["type"] = value;
        else if (name == "source" || name == "src")
            mount_["source"] = value;
        else if (name == "target" || name == "dst" || name == "destination")
            mount_["target"] = value;
        else if (name == "readonly" || name == "ro")
            mount_["read_only"] = is_true("--mount", name, value);
        else if (name == "bind-propagation")
            mount_["bind"]["propagation"] = value;
        else if (name == "bind-recursive")
            mount_["bind"]["recursive"] = value;
        else if (name == "volume-nocopy")
            mount_["volume"]["nocopy"] = is_true("--mount", name, value);
        else if (name == "volume-subpath")
            mount_["volume"]["subpath"] = value;
        else if (name == "image-subpath")
            mount_["image"]["subpath"] = value;
        else if (name == "tmpfs-size")
            mount_["tmpfs"]["size"] = value;
        else if (name == "tmpfs-mode")
            mount_["tmpfs"]["mode"] = value;
        else if (name != "consistency")
            refuse("--mount " + text_ + ": unknown field " + name +
                   "; there are type, source, target, readonly, bind-propagation, bind-recursive, "
                   "volume-nocopy, volume-subpath, image-subpath, tmpfs-size and tmpfs-mode");
    }

    std::string text_;
    Json mount_ = Json::object();
};

/// What the options say, as a stack file.
class StackFile {
  public:
    StackFile(const SingleOptions& options, const SingleContext& context)
        : options_(options), context_(context) {
        if (!options.gpus.empty())
            refuse("--gpus is not supported: containers get devices by --device");
        if (options.remove && !options.restart.empty() && options.restart != "no")
            refuse("--rm and --restart exclude each other: one that is removed cannot start again");
        add_process();
        add_identity();
        add_networks();
        add_files();
        add_isolation();
        add_limits();
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
        if (options_.stop_timeout)
            service_["stop_grace_period"] = std::to_string(*options_.stop_timeout) + "s";
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
        service_["network_mode"] = mode;
    }

    /// NAME, or name=NAME,alias=…,ip=….
    void attach(const std::string& text, Json& attached) {
        StringMap fields = fields_of(text);
        const std::string given = text.find('=') == std::string::npos ? text : fields["name"];
        const std::string name = given == "default" ? bridge_network : given;
        Json attachment = Json::object();
        Strings aliases = options_.aliases;
        if (fields.contains("alias"))
            aliases.push_back(fields["alias"]);
        if (!aliases.empty())
            attachment["aliases"] = aliases;
        const auto set = [&](const char* key, const std::string& value) {
            if (!value.empty())
                attachment[key] = value;
        };
        set("ipv4_address", fields.contains("ip") ? fields["ip"] : options_.ip);
        set("ipv6_address", fields.contains("ip6") ? fields["ip6"] : options_.ip6);
        set("mac_address", options_.mac_address);
        attached[name] = attachment;
        networks_[name] = {{"name", name}};
        if (name != bridge_network)
            networks_[name]["external"] = true;
    }

    void add_files() {
        for (const auto& volume : options_.volumes) {
            service_["volumes"].push_back(volume);
            const auto [source, target] = split_once(volume, ':');
            if (!target.empty())
                declare_volume(source);
        }
        for (const auto& text : options_.mounts) {
            const MountOption mount(text);
            service_["volumes"].push_back(mount.json());
            if (mount.json()["type"] == "volume")
                declare_volume(mount.json().value("source", ""));
        }
        for (const auto& lender : options_.volumes_from)
            service_["volumes_from"].push_back("container:" + lender);
        put("tmpfs", options_.tmpfs);
        put("read_only", options_.read_only);
        put("shm_size", options_.shm_size);
    }

    /// A source that is no path is the name of a volume, made where it is not there.
    void declare_volume(const std::string& source) {
        if (source.empty() || source.find_first_of("./~") == 0)
            return;
        volumes_[source] = {{"name", source}};
        if (std::find(context_.volumes.begin(), context_.volumes.end(), source) !=
            context_.volumes.end())
            volumes_[source]["external"] = true;
    }

    void add_isolation() {
        put("privileged", options_.privileged);
        put("cap_add", options_.cap_add);
        put("cap_drop", options_.cap_drop);
        put("security_opt", options_.security_options);
        put("devices", options_.devices);
        put("device_cgroup_rules", options_.device_rules);
        put("sysctls", options_.sysctls);
        put("pid", options_.pid);
        put("ipc", options_.ipc);
        put("uts", options_.uts);
        put("cgroup", options_.cgroup);
        put("userns_mode", options_.userns);
    }

    void add_limits() {
        put("mem_limit", options_.memory);
        put("mem_reservation", options_.memory_reservation);
        put("memswap_limit", options_.memory_swap);
        put("cpus", options_.cpus);
        put("cpu_shares", options_.cpu_shares);
        put("cpu_period", options_.cpu_period);
        put("cpu_quota", options_.cpu_quota);
        put("cpuset", options_.cpuset);
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

std::string complaints(const Diagnostics& diagnostics) {
    Strings sentences;
    for (const auto& one : diagnostics)
        if (one.severity == Severity::error)
            sentences.push_back(one.message + (one.hint.empty() ? "" : ": " + one.hint));
    return join(sentences, "\nstack: ");
}

}  // namespace

Stack single_stack(const SingleOptions& options, const SingleContext& context) {
    const std::string name = context.directory + "/the command line";
    const std::string text = StackFile(options, context).text();
    LoadInput input;
    input.files = {name};
    input.project_directory = context.directory;
    input.project_name = "single";
    input.environment = context.environment;
    input.read_file = [&](const std::string& path) {
        return path == name ? std::optional(text) : context.read_file(path);
    };
    LoadResult result = load(input);
    if (!result.stack)
        throw Error(complaints(result.diagnostics));
    Stack stack = std::move(*result.stack);
    stack.name = single_containers;
    stack.files.clear();
    return stack;
}

std::vector<Port> ports_to_publish(const Strings& exposed) {
    std::vector<Port> ports;
    for (const auto& text : exposed) {
        const auto [number, protocol] = split_once(text, '/');
        Port port;
        port.target = parse_number<std::uint16_t>(number).value_or(0);
        port.protocol = protocol == "udp"    ? Protocol::udp
                        : protocol == "sctp" ? Protocol::sctp
                                             : Protocol::tcp;
        if (port.target != 0)
            ports.push_back(port);
    }
    return ports;
}

}  // namespace stack::cli
