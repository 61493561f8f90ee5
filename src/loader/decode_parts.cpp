// Ports, mounts, health checks, limits, hooks: the parts of a service that have a form of their
// own.

#include "base/ip.h"
#include "base/text.h"
#include "loader/decode.h"
#include "loader/paths.h"
#include "loader/short_syntax.h"
#include "model/native_probe.h"

namespace stack::loader {
namespace {

constexpr std::size_t most_ports = 65'536;  // of a service: a range of one line is many

Protocol protocol_of(const Node& node, Reporter& reporter) {
    if (!check_choice(node, "`protocol`", {"tcp", "udp", "sctp"}, reporter))
        return Protocol::tcp;
    return node.value == "tcp"   ? Protocol::tcp
           : node.value == "udp" ? Protocol::udp
                                 : Protocol::sctp;
}

Port decode_long_port(const Node& node, Reporter& reporter) {
    Object object(node, "a port", reporter);
    Port port;
    if (const Node* target =
            object.need("target", "a port needs `target`, the port inside the container")) {
        const auto number = parse_number<std::uint16_t>(target->value);
        if (number && *number != 0)
            port.target = *number;
        else
            reporter.wrong_type(*target, "`target`", "a port from 1 to 65535");
    }
    if (const Node* published = object.take("published")) {
        port.published = scalar_of(*published, "`published`", reporter);
        if (!port.published.empty() && !is_port_range(port.published))
            reporter.wrong_type(
                *published, "`published`", "a port from 0 to 65535 or a range such as 8000-8010");
    }
    object.text("host_ip", port.host_ip);
    if (!port.host_ip.empty() && !parse_ip(port.host_ip))
        reporter.wrong_type(*object.take("host_ip"), "`host_ip`", "an IP address");
    if (const Node* protocol = object.take("protocol"))
        port.protocol = protocol_of(*protocol, reporter);
    object.choice("mode", port.mode, {"host", "ingress"});
    object.text("name", port.name);
    object.text("app_protocol", port.app_protocol);
    return port;
}

void decode_bind_options(const Node& node, Mount& mount, Reporter& reporter) {
    Object bind(node, "`bind`", reporter);
    bind.choice("propagation",
                mount.propagation,
                {"private", "rprivate", "shared", "rshared", "slave", "rslave"});
    bind.boolean("create_host_path", mount.create_host_path);
    bind.choice("selinux", mount.selinux, {"z", "Z"});
    bind.choice("recursive", mount.recursive, {"enabled", "disabled", "writable", "readonly"});
    bind.warn_ignored({"recursive"});
}

Mount decode_long_mount(const Node& node, Reporter& reporter) {
    Object object(node, "a volume", reporter);
    Mount mount;
    if (const Node* type = object.need(
            "type", "a volume in long form needs `type`", "volume, bind, tmpfs or image")) {
        static const Strings types{"volume", "bind", "tmpfs", "image"};
        mount.type = MountType::bind;  // of which nothing more is asked
        if (type->value == "cluster" || type->value == "npipe")
            reporter.error(
                type->at, "unsupported", "volumes of type " + type->value + " do not exist here");
        else if (check_choice(*type, "`type`", types, reporter))
            mount.type = type->value == "bind"    ? MountType::bind
                         : type->value == "tmpfs" ? MountType::tmpfs
                         : type->value == "image" ? MountType::image
                                                  : MountType::volume;
    }
    object.text("source", mount.source);
    object.text("target", mount.target);
    object.boolean("read_only", mount.read_only);
    object.unread_text("consistency");
    if (const Node* bind = object.take("bind"))
        decode_bind_options(*bind, mount, reporter);
    if (const Node* volume = object.take("volume")) {
        Object options(*volume, "`volume`", reporter);
        options.boolean("nocopy", mount.nocopy);
        options.text("subpath", mount.subpath);
        options.map("labels", mount.labels);
        options.warn_ignored({"labels"});
    }
    if (const Node* tmpfs = object.take("tmpfs")) {
        Object options(*tmpfs, "`tmpfs`", reporter);
        options.bytes("size", mount.tmpfs_size);
        if (const Node* mode = options.take("mode"))
            mount.tmpfs_mode = mode_of(*mode, "`mode`", reporter);
    }
    if (const Node* image = object.take("image")) {
        Object options(*image, "`image`", reporter);
        options.text("subpath", mount.subpath);
    }
    if (mount.type == MountType::image)
        object.need("source", "a volume of type image needs `source`, the image or a service");
    if (const Node* type = node.find("type"); type != nullptr && type->value == "bind")
        object.need("source", "a volume of type bind needs `source`, the path on the host");
    const Node* target =
        object.need("target", "a volume needs `target`, the path inside the container");
    if (target != nullptr && !mount.target.starts_with('/'))
        reporter.wrong_type(*target, "`target`", "an absolute path");
    else if (target != nullptr)
        mount.target = absolute(mount.target, "/", "");
    return mount;
}

Hook decode_hook(const Node& node, const std::string& what, Reporter& reporter) {
    Object object(node, "a hook of `" + what + "`", reporter);
    Hook hook;
    std::optional<Strings> command;
    object.words("command", command);
    hook.command = command.value_or(Strings{});
    object.text("image", hook.image);
    if (hook.image.empty())
        object.need("command", object.what() + " needs `command`");
    object.text("user", hook.user);
    object.text("working_dir", hook.working_dir);
    object.nullable_map("environment", hook.environment);
    object.boolean("privileged", hook.privileged);
    object.boolean("per_replica", hook.per_replica);
    return hook;
}

}  // namespace

std::vector<Port> decode_ports(const Node& node, Reporter& reporter) {
    std::vector<Port> ports;
    if (!node.is_sequence()) {
        reporter.wrong_type(node, "`ports`", "a list", "write it as `- \"" + node.value + "\"`");
        return ports;
    }
    for (const auto& item : node.items) {
        if (item.is_mapping()) {
            ports.push_back(decode_long_port(item, reporter));
            continue;
        }
        if (!item.is_scalar()) {
            reporter.wrong_type(item, "a port", "a text such as \"8080:80\" or a mapping");
            continue;
        }
        auto parsed = parse_port(item.value);
        if (!parsed && item.value.find(';') != std::string::npos)
            parsed.error().message =
                "write `:` between the ports, as in \"" + replace_all(item.value, ";", ":") + "\"";
        if (parsed)
            ports.insert(ports.end(), parsed->begin(), parsed->end());
        else
            reporter.malformed(item, "port", parsed.error());
        if (ports.size() > most_ports) {
            reporter.error(
                item.at, "too-large", "with this range, the service has more than 65,536 ports");
            return {};
        }
    }
    return ports;
}

std::vector<Mount> decode_mounts(const Node& node, Reporter& reporter) {
    std::vector<Mount> mounts;
    if (!node.is_sequence()) {
        reporter.wrong_type(
            node, "`volumes` of a service", "a list", "write it as `- " + node.value + "`");
        return mounts;
    }
    for (const auto& item : node.items) {
        if (item.is_mapping()) {
            mounts.push_back(decode_long_mount(item, reporter));
            continue;
        }
        const auto parsed = parse_volume(text_of(item, "a volume", reporter));
        if (parsed)
            mounts.push_back(*parsed);
        else if (item.is_scalar())
            reporter.malformed(item, "volume", parsed.error());
    }
    return mounts;
}

/// `x-stack: {http: URL}` or `{tcp: ADDRESS}` takes the place of `test`, which other programs read.
void decode_native_probe(const Node& node, Healthcheck& check, Reporter& reporter) {
    Object own(node, "`x-stack`", reporter);
    std::string url;
    own.text("http", url);
    if (!url.empty()) {
        check.test = {"HTTP", url};
        if (const auto parsed = parse_http_probe(url); !parsed)
            reporter.malformed(*own.take("http"), "`http`", parsed.error());
    }
    const Node* tcp = own.take("tcp");
    if (tcp == nullptr || tcp->is_null())
        return;
    if (!url.empty()) {
        reporter.error(
            tcp->at, "conflict", "`http` and `tcp` are two health checks", "leave one of them out");
        return;
    }
    check.test = {"TCP", scalar_of(*tcp, "`tcp`", reporter)};
    if (const auto parsed = parse_tcp_probe(check.test.back()); !parsed && tcp->is_scalar())
        reporter.malformed(*tcp, "`tcp`", parsed.error());
}

Healthcheck decode_healthcheck(const Node& node, Reporter& reporter) {
    Object object(node, "`healthcheck`", reporter);
    Healthcheck check;
    if (const Node* test = object.take("test")) {
        if (test->is_scalar()) {
            check.test = {"CMD-SHELL", text_of(*test, "`test`", reporter)};
        } else if (test->is_sequence()) {
            for (const auto& word : test->items)
                check.test.push_back(text_of(word, "a word of `test`", reporter));
            if (!test->items.empty())  // none: the image's
                check_choice(test->items.front(),
                             "the first word of `test`",
                             {"CMD", "CMD-SHELL", "NONE"},
                             reporter);
        } else {
            reporter.wrong_type(*test, "`test`", "a text or a list of words");
        }
    }
    object.duration("interval", check.interval);
    object.duration("timeout", check.timeout);
    object.duration("start_period", check.start_period);
    object.duration("start_interval", check.start_interval);
    object.number("retries", check.retries);
    object.boolean("disable", check.disabled);
    if (const Node* extension = object.take("x-stack"))
        decode_native_probe(*extension, check, reporter);
    return check;
}

std::map<std::string, Ulimit> decode_ulimits(const Node& node, Reporter& reporter) {
    std::map<std::string, Ulimit> limits;
    if (!node.is_mapping())
        reporter.wrong_type(node, "`ulimits`", "a mapping");
    for (const auto& [key, value] : node.entries) {
        Ulimit limit;
        if (value.is_mapping()) {
            Object object(value, "ulimit `" + key.text + "`", reporter);
            for (auto* side : {&limit.soft, &limit.hard}) {
                const char* name = side == &limit.soft ? "soft" : "hard";
                std::optional<std::int64_t> number;
                object.number(name, number, or_unlimited);
                object.need(name,
                            object.what() + " needs `" + name + "`",
                            "or write one number, for `soft` and for `hard`");
                *side = number.value_or(0);
            }
            constexpr std::int64_t unlimited = -1;
            const bool is_whole = object.take("soft") != nullptr && object.take("hard") != nullptr;
            if (is_whole && limit.hard != unlimited &&
                (limit.soft == unlimited || limit.soft > limit.hard))
                reporter.error(value.at,
                               "conflict",
                               object.what() + " has a soft limit above its hard one",
                               "a process may raise the soft one up to the hard one");
        } else if (const auto number =
                       integer_of(value, "ulimit `" + key.text + "`", or_unlimited, reporter)) {
            limit = {*number, *number};
        }
        limits[key.text] = limit;
    }
    return limits;
}

std::vector<Hook> decode_hooks(const Node& node, const std::string& what, Reporter& reporter) {
    std::vector<Hook> hooks;
    if (!node.is_sequence())
        reporter.wrong_type(node, "`" + what + "`", "a list");
    for (const auto& item : node.items)
        hooks.push_back(decode_hook(item, what, reporter));
    return hooks;
}

std::vector<WatchRule> decode_develop(const Node& node, Reporter& reporter) {
    Object object(node, "`develop`", reporter);
    std::vector<WatchRule> rules;
    const Node* watch = object.take("watch");
    if (watch == nullptr)
        return rules;
    for (const auto& item : watch->items) {
        Object entry(item, "a rule of `watch`", reporter);
        WatchRule rule;
        entry.text("path", rule.path);
        if (const Node* action = entry.take("action")) {
            rule.action = action->value;
            if (!check_choice(*action,
                              "`action`",
                              {"rebuild", "restart", "sync", "sync+restart", "sync+exec"},
                              reporter))
                rule.action.clear();
        }
        entry.need("path", "a rule of `watch` needs `path`");
        entry.need("action", "a rule of `watch` needs `action`");
        entry.text("target", rule.target);
        entry.strings("ignore", rule.ignore);
        entry.strings("include", rule.include);
        entry.boolean("initial_sync", rule.initial_sync);
        if (const Node* exec = entry.take("exec"))
            rule.exec = decode_hook(*exec, "exec", reporter);
        if (rule.action.starts_with("sync"))
            entry.need("target", "a rule with action " + rule.action + " needs `target`");
        if (rule.action == "sync+exec")
            entry.need("exec", "a rule with action sync+exec needs `exec`, the command to run");
        rules.push_back(std::move(rule));
    }
    return rules;
}

}  // namespace stack::loader
