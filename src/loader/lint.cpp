#include "loader/lint.h"

#include "base/text.h"
#include "loader/validate.h"

#include <algorithm>
#include <set>

namespace stack::loader {
namespace {

bool is_one_of(const std::string& word, std::initializer_list<const char*> words) {
    return std::any_of(
        words.begin(), words.end(), [&](const char* other) { return word == other; });
}

/// What the rules say of one service.
class Findings {
  public:
    Findings(const Stack& whole, const Service& of, const Node& root, Reporter& reporter)
        : stack(whole), service(of), root_(root), reporter_(reporter) {}

    /// `key` of the service, and in it `part`, is what it is about.
    void add(const char* key, const std::string& part, const std::string& what, std::string hint) {
        const Location at = part.empty() ? locate(root_, {"services", service.name, key})
                                         : locate(root_, {"services", service.name, key, part});
        reporter_.warning(at,
                          rule,
                          "service `" + service.name + "` " + what + " [" + rule + "]",
                          std::move(hint));
    }

    const Stack& stack;
    const Service& service;
    const char* rule = "";

  private:
    const Node& root_;
    Reporter& reporter_;
};

// --- what lowers the wall between a container and the machine ---

void privileged(Findings& found) {
    if (found.service.privileged)
        found.add("privileged", "", "has all privileges of the machine", "use cap_add and devices");
}

void capabilities(Findings& found) {
    for (const auto& name : found.service.cap_add) {
        const std::string bare = name.starts_with("CAP_") ? name.substr(4) : name;
        if (is_one_of(bare,
                      {"ALL",
                       "SYS_ADMIN",
                       "SYS_MODULE",
                       "SYS_PTRACE",
                       "SYS_RAWIO",
                       "SYS_BOOT",
                       "SYS_TIME",
                       "DAC_READ_SEARCH",
                       "BPF",
                       "PERFMON",
                       "SYSLOG",
                       "MAC_ADMIN",
                       "NET_ADMIN"}))
            found.add("cap_add", name, "gets the capability " + name, "is a smaller one enough?");
    }
}

void unconfined(Findings& found) {
    for (const auto& option : found.service.security_opt)
        if (option.ends_with("unconfined") || is_one_of(option,
                                                        {"label=disable",
                                                         "label:disable",
                                                         "no-new-privileges:false",
                                                         "no-new-privileges=false"}))
            found.add(
                "security_opt", option, "switches a protection off", "leave " + option + " out");
}

void host_namespace(Findings& found) {
    const Service& service = found.service;
    const std::pair<const char*, const std::string*> modes[] = {
        {"network_mode", &service.network_mode},
        {"pid", &service.pid},
        {"ipc", &service.ipc},
        {"uts", &service.uts},
        {"cgroup", &service.cgroup},
        {"userns_mode", &service.userns_mode}};
    for (const auto& [key, mode] : modes)
        if (*mode == "host")
            found.add(key, "", std::string("shares the machine's own ") + key, "leave it out");
}

void host_path(Findings& found) {
    for (const auto& mount : found.service.volumes) {
        if (mount.type != MountType::bind)
            continue;
        const std::string& path = mount.source;
        const bool is_socket = path.ends_with("/docker.sock") ||
                               path.ends_with("/containerd.sock") || path.ends_with("/podman.sock");
        if (is_socket || is_one_of(path,
                                   {"/",
                                    "/boot",
                                    "/dev",
                                    "/etc",
                                    "/home",
                                    "/proc",
                                    "/root",
                                    "/run",
                                    "/sys",
                                    "/usr",
                                    "/var",
                                    "/var/lib",
                                    "/var/run"}))
            found.add("volumes",
                      path,
                      "has " + path + " of the machine",
                      is_socket ? "who can write to it is root on the machine"
                                : "mount only the directory that it needs");
    }
}

void host_device(Findings& found) {
    for (const auto& device : found.service.devices)
        if (is_one_of(device.source, {"/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg"}) ||
            device.source.starts_with("/dev/sd") || device.source.starts_with("/dev/nvme") ||
            device.source.starts_with("/dev/vd") || device.source.starts_with("/dev/dm-") ||
            device.source.starts_with("/dev/mapper/"))
            found.add("devices",
                      device.source,
                      "has " + device.source + " of the machine",
                      "whole disks and memory hold everything");
    if (!found.service.device_cgroup_rules.empty())
        found.add("device_cgroup_rules", "", "may make devices of its own", "use devices");
}

void privileged_build(Findings& found) {
    const auto& build = found.service.build;
    if (build && (build->privileged || build->network == "host" || !build->entitlements.empty()))
        found.add("build", "", "is built with privileges", "build without them");
}

void remote_build(Findings& found) {
    const auto& build = found.service.build;
    if (build &&
        (build->context.find("://") != std::string::npos || build->context.starts_with("git@")) &&
        build->context.find('#') == std::string::npos)
        found.add("build",
                  "context",
                  "is built from whatever " + build->context + " holds at the time",
                  "name a commit: " + build->context + "#COMMIT");
}

// --- what surprises later ---

void unpinned_image(Findings& found) {
    const std::string& image = found.service.image;
    const bool is_made_here = image.starts_with("rootfs:") || image.starts_with("debootstrap:");
    if (image.empty() || image.find('@') != std::string::npos || found.service.build ||
        is_made_here)
        return;
    const auto slash = image.find_last_of('/');
    const auto colon = image.find(':', slash == std::string::npos ? 0 : slash);
    if (colon == std::string::npos || image.substr(colon) == ":latest")
        found.add("image",
                  "",
                  "runs whatever " + image + " is at the time",
                  "name a version: a tag or a digest");
}

void all_addresses(Findings& found) {
    for (const auto& port : found.service.ports)
        if (port.host_ip.empty() || port.host_ip == "0.0.0.0" || port.host_ip == "::")
            found.add("ports",
                      port.published,
                      "publishes port " + std::to_string(port.target) + " on all addresses",
                      "for this machine only: 127.0.0.1:" + port.published + ":" +
                          std::to_string(port.target));
}

void no_healthcheck(Findings& found) {
    if (found.service.healthcheck)
        return;
    for (const auto& [name, other] : found.stack.services)
        if (const auto dependency = other.depends_on.find(found.service.name);
            dependency != other.depends_on.end() &&
            dependency->second.condition == DependencyCondition::started) {
            found.add("image",
                      "",
                      "has no healthcheck, though `" + name + "` depends on it",
                      "with one, `condition: service_healthy` waits until it answers");
            return;
        }
}

void no_memory_limit(Findings& found) {
    if (!found.service.resources.memory)
        found.add("image", "", "may use all memory", "set deploy.resources.limits.memory");
}

void no_restart(Findings& found) {
    if (found.service.restart.condition == RestartCondition::no && !found.service.ports.empty())
        found.add(
            "ports", "", "serves ports, but stays down when it ends", "restart: unless-stopped");
}

void plain_secret(Findings& found) {
    for (const auto& [name, value] : found.service.environment) {
        const std::string lower = to_lower(name);
        static const Strings endings{
            "password", "passwd", "secret", "token", "api_key", "private_key"};
        const bool is_secret =
            std::any_of(endings.begin(), endings.end(), [&](const std::string& ending) {
                return lower.ends_with(ending);
            });
        if (is_secret && value && !value->empty() && !value->starts_with('/'))
            found.add("environment",
                      name,
                      "has a secret in its environment: " + name,
                      "use `secrets`: variables show in `inspect`, logs and child processes");
    }
}

void anonymous_volume(Findings& found) {
    for (const auto& mount : found.service.volumes)
        if (mount.type == MountType::volume && mount.source.empty())
            found.add("volumes",
                      mount.target,
                      "keeps " + mount.target + " in a volume without a name",
                      "a name keeps the data findable: NAME:" + mount.target);
}

void root_user(Findings& found) {
    const std::string user = split_once(found.service.user, ':').first;
    if (user == "root" || user == "0")
        found.add("user", "", "asks to run as root", "leave it to the image, or name another user");
}

struct Rule {
    LintRule about;
    void (*look)(Findings&);
};

const std::vector<Rule>& rules() {
    static const std::vector<Rule> all{
        {{"privileged",
          "privileged: true",
          "The container can do all that root can: load modules, write disks."},
         privileged},
        {{"capability",
          "cap_add of a capability that is nearly root",
          "SYS_ADMIN, SYS_MODULE, SYS_PTRACE, DAC_READ_SEARCH, NET_ADMIN and their like lead out "
          "of the container."},
         capabilities},
        {{"unconfined",
          "security_opt that switches a protection off",
          "Without seccomp, AppArmor or masked paths, bugs of the kernel are within reach."},
         unconfined},
        {{"host-namespace",
          "network_mode, pid, ipc, uts, cgroup or userns_mode: host",
          "The container sees and touches the machine's own processes, sockets or memory."},
         host_namespace},
        {{"host-path",
          "a bind mount of a system directory or of another engine's socket",
          "Who can write there owns the machine."},
         host_path},
        {{"host-device",
          "disks, memory or device rules",
          "A raw disk holds every file of the machine."},
         host_device},
        {{"privileged-build",
          "build with privileged, entitlements or network: host",
          "The steps of a Dockerfile are programs of others, too."},
         privileged_build},
        {{"remote-build",
          "build from a URL without a commit",
          "What is built changes when others push."},
         remote_build},
        {{"unpinned-image",
          "an image without a tag, or with `latest`",
          "Two machines, or two days, run different programs. `config --lock-image-digests` pins "
          "them all."},
         unpinned_image},
        {{"all-addresses",
          "a port published without an address",
          "It is open on every interface, past most hosts' firewall rules."},
         all_addresses},
        {{"no-healthcheck",
          "a service that others depend on has no healthcheck",
          "They start when its process does, not when it answers."},
         no_healthcheck},
        {{"no-memory-limit",
          "no limit of memory",
          "One leak takes the machine's memory, and the kernel picks the victim."},
         no_memory_limit},
        {{"no-restart",
          "a service with ports and no restart policy",
          "It stays down after a crash or a reboot."},
         no_restart},
        {{"plain-secret",
          "a password, token or key in environment",
          "Variables are inherited, printed and logged; files of `secrets` are not."},
         plain_secret},
        {{"anonymous-volume", "a volume without a name", "Nobody finds the data again."},
         anonymous_volume},
        {{"root-user", "user: root", "A way out of the container is a way to root."}, root_user},
    };
    return all;
}

Strings rule_names() {
    Strings names;
    for (const auto& rule : rules())
        names.emplace_back(rule.about.name);
    return names;
}

/// The rules that an `x-stack: {lint: {NAME: false}}` in `owner` switches off.
std::set<std::string> switched_off(const Node* owner) {
    std::set<std::string> names;
    for (const auto* key : {"x-stack", "lint"})
        owner = owner == nullptr ? nullptr : owner->find(key);
    if (owner != nullptr)
        for (const auto& [name, value] : owner->entries)
            if (to_lower(value.value) == "false" || to_lower(value.value) == "no" ||
                to_lower(value.value) == "off")
                names.insert(name.text);
    return names;
}

}  // namespace

void check_lint_switches(const Node& extension, Reporter& reporter) {
    Object object(extension, "`lint` of `x-stack`", reporter);
    static const Strings names = rule_names();
    for (const auto& name : names) {
        bool ignored = true;
        object.boolean(name, ignored);
    }
}

void lint(const Stack& stack,
          const Node& root,
          const Strings& only,
          const Strings& without,
          Reporter& reporter) {
    const auto off_everywhere = switched_off(&root);
    const Node* services = root.find("services");
    const auto has = [](const Strings& list, const char* name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    for (const auto& [name, service] : stack.services) {
        const auto off = switched_off(services == nullptr ? nullptr : services->find(name));
        Findings findings(stack, service, root, reporter);
        for (const auto& rule : rules()) {
            findings.rule = rule.about.name;
            if ((only.empty() || has(only, rule.about.name)) && !has(without, rule.about.name) &&
                !off_everywhere.contains(rule.about.name) && !off.contains(rule.about.name))
                rule.look(findings);
        }
    }
}

}  // namespace stack::loader

namespace stack {

const std::vector<LintRule>& lint_rules() {
    static const std::vector<LintRule> all = [] {
        std::vector<LintRule> list;
        for (const auto& rule : loader::rules())
            list.push_back(rule.about);
        return list;
    }();
    return all;
}

}  // namespace stack
