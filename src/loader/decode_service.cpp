#include "base/ip.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/units.h"
#include "loader/decode.h"
#include "loader/lint.h"
#include "loader/paths.h"
#include "loader/short_syntax.h"

#include <set>
#include <string>

namespace stack::loader {
namespace {

void decode_restart(const Node& node, RestartPolicy& restart, Reporter& reporter) {
    const auto [word, count] = split_once(node.value, ':');
    if (word == "no" || (word.empty() && node.is_scalar()) || word == "false") {
        restart.condition = RestartCondition::no;
    } else if ((word == "always" || word == "unless-stopped") && node.value != word) {
        reporter.malformed(
            node,
            "`restart`",
            {"a number of attempts is for on-failure alone, as in on-failure:3", word.size() + 1});
    } else if (word == "always") {
        restart.condition = RestartCondition::always;
    } else if (word == "unless-stopped") {
        restart.condition = RestartCondition::unless_stopped;
    } else if (word == "on-failure") {
        restart.condition = RestartCondition::on_failure;
        if (!count.empty()) {
            restart.max_attempts = parse_number<int>(count);
            if (restart.max_attempts.value_or(-1) < 0)
                reporter.malformed(
                    node,
                    "`restart`",
                    {"a number of attempts is expected, as in on-failure:3", word.size() + 1});
        }
    } else {
        check_choice(node, "`restart`", {"no", "always", "on-failure", "unless-stopped"}, reporter);
    }
}

/// It is a part of file names, and a name in the network.
void check_container_name(const Node& node, Reporter& reporter) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const std::string& name = node.value;
    if (!node.is_scalar())
        return;
    constexpr std::size_t longest = 255;
    if (name.size() > longest) {
        reporter.error(node.at,
                       "malformed",
                       "\"" + shortened(name) + "\" cannot be the name of a container: it has " +
                           std::to_string(name.size()) + " characters",
                       "choose one of at most " + std::to_string(longest));
        return;
    }
    const bool fits =
        name.size() > 1 && is_plain(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
            return is_plain(c) || c == '_' || c == '.' || c == '-';
        });
    if (!fits)
        reporter.error(node.at,
                       "malformed",
                       "\"" + shortened(name) + "\" cannot be the name of a container",
                       "it takes two or more letters, digits, `_`, `.` and `-`, and begins with a "
                       "letter or digit");
}

std::map<std::string, Dependency> decode_depends_on(const Node& node, Reporter& reporter) {
    std::map<std::string, Dependency> dependencies;
    for (const auto& item : node.items)
        dependencies[text_of(item, "an element of `depends_on`", reporter)] = {};
    for (const auto& [key, value] : node.entries) {
        Object object(value, "`depends_on." + key.text + "`", reporter);
        Dependency dependency;
        if (const Node* condition =
                object.need("condition",
                            object.what() + " needs `condition`",
                            "service_started, service_healthy or service_completed_successfully")) {
            static const Strings conditions{
                "service_started", "service_healthy", "service_completed_successfully"};
            check_choice(*condition, "`condition`", conditions, reporter);
            dependency.condition = condition->value == conditions[1] ? DependencyCondition::healthy
                                   : condition->value == conditions[2]
                                       ? DependencyCondition::completed_successfully
                                       : DependencyCondition::started;
        }
        object.boolean("restart", dependency.restart);
        object.boolean("required", dependency.required);
        dependencies[key.text] = dependency;
    }
    if (node.is_scalar())
        reporter.wrong_type(
            node, "`depends_on`", "a list or a mapping", "write it as `- " + node.value + "`");
    return dependencies;
}

std::vector<EnvFile> decode_env_files(const Node& node, Reporter& reporter) {
    std::vector<EnvFile> files;
    for_each_item(node, [&](const Node& item) {
        EnvFile file;
        if (item.is_scalar()) {
            file.path = text_of(item, "an env_file", reporter);
        } else {
            Object object(item, "an env_file", reporter);
            object.need("path", "an env_file needs `path`");
            object.text("path", file.path);
            object.boolean("required", file.required);
            if (const Node* format = object.take("format")) {
                check_choice(*format, "`format`", {"raw"}, reporter);
                file.format = format->value;
            }
        }
        if (!file.path.empty())
            files.push_back(std::move(file));
    });
    return files;
}

/// `mode: 440` is what nobody means, and what the reference implementation takes for 0670.
std::optional<std::uint32_t> file_mode_of(const Node& node, Reporter& reporter) {
    const auto mode = mode_of(node, "`mode`", reporter);
    if (mode && node.number && !node.octal)
        reporter.warning(
            node.at,
            "decimal-mode",
            "`mode` " + node.value + " is a decimal number: it is " + octal(*mode) + " in octal",
            "begin it with a 0 if octal is meant");
    return mode;
}

std::vector<FileReference> decode_references(const Node& node,
                                             const std::string& what,
                                             Reporter& reporter) {
    std::vector<FileReference> references;
    if (!node.is_sequence())
        reporter.wrong_type(node, "`" + what + "` of a service", "a list");
    for (const auto& item : node.items) {
        FileReference reference;
        if (item.is_scalar()) {
            reference.source = text_of(item, "an element of `" + what + "`", reporter);
        } else {
            Object object(item, "an element of `" + what + "`", reporter);
            object.text("source", reference.source);
            object.text("target", reference.target);
            if (what == "secrets" && reference.target == default_secret_target(reference.source))
                reference.target.clear();  // `config` writes it out
            object.id("uid", reference.uid);
            object.id("gid", reference.gid);
            if (const Node* mode = object.take("mode"))
                reference.mode = file_mode_of(*mode, reporter);
        }
        references.push_back(std::move(reference));
    }
    return references;
}

std::string decode_pull_policy(const Node& node, Reporter& reporter) {
    const bool is_periodic =
        node.value == "daily" || node.value == "weekly" ||
        (node.value.starts_with("every_") && parse_duration(node.value.substr(6)));
    if (!is_periodic)
        check_choice(node,
                     "`pull_policy`",
                     {"always", "never", "missing", "if_not_present", "build", "daily", "weekly"},
                     reporter);
    return node.value;
}

void decode_process(Object& object, Service& service) {
    object.text("image", service.image);
    if (const Node* build = object.take("build"))
        service.build = decode_build(*build, object.what(), object.reporter);
    if (const Node* policy = object.take("pull_policy"))
        service.pull_policy = decode_pull_policy(*policy, object.reporter);
    object.text("platform", service.platform);
    object.words("command", service.command);
    object.words("entrypoint", service.entrypoint);
    object.nullable_map("environment", service.environment);
    if (service.environment.contains(""))
        object.reporter.error(object.take("environment")->at,
                              "malformed",
                              "`environment` has a variable without a name",
                              "write it as NAME=value");
    if (const Node* files = object.take("env_file"))
        service.env_file = decode_env_files(*files, object.reporter);
    object.text("working_dir", service.working_dir);
    if (!service.working_dir.empty() && !service.working_dir.starts_with('/'))
        object.reporter.wrong_type(
            *object.take("working_dir"), "`working_dir`", "an absolute path of the container");
    object.text("user", service.user);
    if (const Node* user = object.take("user"))
        for (const auto& id : split(user->value, ':'))
            check_id(*user, id, "the number of a user or group", object.reporter);
    object.scalars("group_add", service.group_add);
    if (const Node* groups = object.take("group_add"))
        for (const auto& group : groups->items)
            check_id(group, group.value, "the number of a group", object.reporter);
    object.boolean("tty", service.tty);
    object.boolean("stdin_open", service.stdin_open);
    object.boolean("init", service.init);
    object.text("stop_signal", service.stop_signal);
    if (!service.stop_signal.empty() && !parse_signal(service.stop_signal))
        object.reporter.malformed(*object.take("stop_signal"),
                                  "`stop_signal`",
                                  {"a signal is expected, such as SIGTERM, TERM or SIGRTMIN+3"});
    object.duration("stop_grace_period", service.stop_grace_period);
    object.text("container_name", service.container_name);
    if (const Node* name = object.take("container_name"); name != nullptr)
        check_container_name(*name, object.reporter);
    object.text("hostname", service.hostname);
    object.text("domainname", service.domainname);
    object.map("labels", service.labels);
    object.strings("label_file", service.label_file);
    object.map("annotations", service.annotations);
    object.list("profiles", service.profiles);
}

/// Docker ignores them, too; a reader of the file may not know.
void warn_of_host_ports(Object& object, const Service& service) {
    if (const Node* ports = object.take("ports");
        ports != nullptr && service.network_mode == "host")
        object.reporter.warning(
            ports->at,
            "ignored",
            "`ports` of " + object.what() +
                " has no effect: with `network_mode: host` its ports are the host's");
}

void decode_network_side(Object& object, Service& service) {
    if (const Node* ports = object.take("ports"))
        service.ports = decode_ports(*ports, object.reporter);
    object.scalars("expose", service.expose);
    if (const Node* expose = object.take("expose"))
        for (const auto& item : expose->items)
            if (const auto& [ports, protocol] = split_once(item.value, '/');
                !is_port_range(ports) && !item.value.empty())
                object.reporter.malformed(
                    item,
                    "exposed port",
                    {"a port is a number from 1 to 65535, as in 80 or 80/udp"});
    if (const Node* networks = object.take("networks"))
        service.networks = decode_attachments(*networks, object.reporter);
    object.text("network_mode", service.network_mode);
    object.text("mac_address", service.mac_address);
    if (const Node* hosts = object.take("extra_hosts"))
        service.extra_hosts = decode_extra_hosts(*hosts, object.reporter);
    object.strings("dns", service.dns);
    if (const Node* servers = object.take("dns"))
        for_each_item(*servers, [&](const Node& server) {
            if (!server.value.empty() && !parse_ip(server.value))
                object.reporter.malformed(
                    server, "name server", {"it is an address, as in 9.9.9.9"});
        });
    std::erase(service.dns, "");
    object.strings("dns_search", service.dns_search);
    object.list("dns_opt", service.dns_opt);
    object.list("links", service.links);
    object.list("external_links", service.external_links);
    warn_of_host_ports(object, service);
    if (!service.network_mode.empty() && !service.networks.empty())
        object.reporter.error(object.node().find("network_mode")->at,
                              "conflict",
                              "`network_mode` and `networks` exclude each other",
                              "",
                              {{"the networks are here", object.node().find("networks")->at}});
}

void decode_files(Object& object, Service& service) {
    if (const Node* volumes = object.take("volumes"))
        service.volumes = decode_mounts(*volumes, object.reporter);
    object.list("volumes_from", service.volumes_from);
    object.strings("tmpfs", service.tmpfs);
    if (const Node* secrets = object.take("secrets"))
        service.secrets = decode_references(*secrets, "secrets", object.reporter);
    if (const Node* configs = object.take("configs"))
        service.configs = decode_references(*configs, "configs", object.reporter);
    object.boolean("read_only", service.read_only);
    object.bytes("shm_size", service.shm_size);
    object.map("storage_opt", service.storage_opt);
}

Provider decode_provider(const Node& node, Reporter& reporter) {
    Object object(node, "`provider`", reporter);
    Provider provider;
    object.need("type", "`provider` needs `type`");
    object.text("type", provider.type);
    if (const Node* options = object.take("options"))
        for (const auto& [name, value] : options->entries)
            for_each_item(value, [&](const Node& item) {
                provider.options[name.text].push_back(scalar_of(item, "an option", reporter));
            });
    return provider;
}

/// Read for their mistakes only.
void check_models(const Node& node, Reporter& reporter) {
    for (const auto& [name, value] : node.entries) {
        Object object(value, "model `" + name.text + "` of the service", reporter);
        for (const auto* key : {"endpoint_var", "model_var"})
            if (const Node* variable = object.take(key))
                static_cast<void>(text_of(*variable, key, reporter));
    }
    if (node.is_scalar())
        reporter.wrong_type(
            node, "`models`", "a list or a mapping", "write it as `- " + node.value + "`");
}

void check_log_option(const std::string& name, const Node& value, Reporter& reporter) {
    const std::string what = "`" + name + "` of the options of `logging`";
    if (name == "mode")
        check_choice(value, what, {"blocking", "non-blocking"}, reporter);
    if (name == "max-size" && parse_bytes(value.value).value_or(0) <= 0)
        reporter.wrong_type(value, what, "a size such as 10m");
    if (name == "max-file" && parse_number<int>(value.value).value_or(0) < 1)
        reporter.wrong_type(value, what, "a number of files, 1 or more");
}

/// Every driver's lines go to the same bounded files.
Logging decode_logging(const Node& node, Reporter& reporter) {
    const std::set<std::string> own_drivers{"", "json-file", "local", "none"};
    const std::set<std::string> own_options{"max-size", "max-file", "mode"};
    Object object(node, "`logging`", reporter);
    Logging logging;
    object.text("driver", logging.driver);
    object.map("options", logging.options);
    if (!own_drivers.contains(logging.driver)) {
        reporter.warning(object.take("driver")->at,
                         "ignored",
                         "`driver: " + shortened(logging.driver) + "` has no effect here",
                         "its lines go to bounded files, which `stack logs` shows");
        return logging;
    }
    const Node* options = object.take("options");
    if (options == nullptr)
        return logging;
    for (const auto& [name, value] : options->entries) {
        if (!own_options.contains(name.text))
            reporter.warning(name.at,
                             "ignored",
                             "`" + name.text +
                                 "` of the options of `logging` has no effect "
                                 "here");
        check_log_option(name.text, value, reporter);
    }
    return logging;
}

void decode_life(Object& object, Service& service) {
    if (const Node* provider = object.take("provider"))
        service.provider = decode_provider(*provider, object.reporter);
    if (const Node* models = object.take("models"))
        check_models(*models, object.reporter);
    if (const Node* depends_on = object.take("depends_on"))
        service.depends_on = decode_depends_on(*depends_on, object.reporter);
    if (const Node* check = object.take("healthcheck"))
        service.healthcheck = decode_healthcheck(*check, object.reporter);
    if (const Node* restart = object.take("restart"))
        decode_restart(*restart, service.restart, object.reporter);
    object.number("scale", service.scale, number_of_containers);
    if (const Node* deploy = object.take("deploy"))
        decode_deploy(*deploy, service, object.reporter);
    if (const Node* hooks = object.take("pre_start"))
        service.pre_start = decode_hooks(*hooks, "pre_start", object.reporter);
    if (const Node* hooks = object.take("post_start"))
        service.post_start = decode_hooks(*hooks, "post_start", object.reporter);
    if (const Node* hooks = object.take("pre_stop"))
        service.pre_stop = decode_hooks(*hooks, "pre_stop", object.reporter);
    if (const Node* logging = object.take("logging"))
        service.logging = decode_logging(*logging, object.reporter);
    object.boolean("attach", service.attach);
    if (const Node* develop = object.take("develop"))
        service.watch = decode_develop(*develop, object.reporter);
    if (const Node* extension = object.take("x-stack")) {
        Object own(*extension, "`x-stack`", object.reporter);
        if (const Node* switches = own.take("lint"))
            check_lint_switches(*switches, object.reporter);
        if (const Node* unhealthy = own.take("on-unhealthy"))
            service.restart_unhealthy =
                check_choice(*unhealthy, "`on-unhealthy`", {"restart"}, object.reporter);
        own.text("cpuset-mems", service.resources.cpuset_mems);
    }
}

/// Attributes of other platforms and of programs that are not here, and those which nothing acts
/// on yet.
void note_ignored(Object& object, const Service& service) {
    for (const auto* key : {"isolation", "pull_refresh_after"})
        object.unread_text(key);
    bool unread = false;
    object.boolean("use_api_socket", unread);
    object.warn_ignored({"cpu_count", "cpu_percent", "isolation", "credential_spec"},
                        "it is for Windows containers");
    object.warn_ignored({"use_api_socket"}, "there is no daemon whose socket it could be");
    object.warn_ignored({"provider"}, "no programs besides containers are started");
    object.warn_ignored({"models"}, "nothing here runs models");
    object.warn_ignored({"pull_refresh_after"}, "`pull_policy: every_DURATION` says so");
    object.warn_ignored({"external_links"},
                        "put both into one `external` network: they find each other there");
    object.warn_ignored({"cgroup_parent"},
                        "its control group is its stack's; limits go to `deploy.resources`");
    if (!service.runtime.empty() && service.runtime != "runc")
        object.warn_ignored({"runtime"}, "the engine is its own runtime");
    if (const Node* options = object.take("storage_opt"); options != nullptr)
        object.reporter.error(options->at,
                              "unsupported",
                              "`storage_opt` of " + object.what() +
                                  ": the writable layer of a container cannot be limited",
                              "overlayfs would need project quotas below it; leave it out, and "
                              "put what grows into a volume");
    static_cast<void>(object.take("extends"));  // resolved before
}

}  // namespace

Service decode_service(const std::string& name, const Node& node, Reporter& reporter) {
    Service service;
    service.name = name;
    Object object(node, "service `" + name + "`", reporter);
    decode_process(object, service);
    decode_network_side(object, service);
    decode_files(object, service);
    decode_isolation(object, service);
    decode_resources(object, service.resources);
    decode_life(object, service);
    note_ignored(object, service);
    return service;
}

}  // namespace stack::loader
