#include "loader/validate.h"

#include "base/text.h"
#include "loader/paths.h"
#include "model/volumes_from.h"

#include <algorithm>
#include <set>

namespace stack::loader {
namespace {

/// The scalar of a list's element that refers to `name`: itself, or its `source`, `path` or
/// `published`.
const Node* reference_to(const std::string& name, const Node& item) {
    for (const auto* key : {"source", "path", "published"})
        if (const Node* node = item.find(key); node != nullptr && node->value == name)
            return node;
    return item.is_scalar() && (item.value == name || item.value.starts_with(name + ":")) ? &item
                                                                                          : nullptr;
}

template <class Map>
Strings keys_of(const Map& map) {
    Strings keys;
    for (const auto& [key, value] : map)
        keys.push_back(key);
    return keys;
}

class Validator {
  public:
    Validator(const Stack& stack, const Node& root, Reporter& reporter)
        : stack_(stack), root_(root), reporter_(reporter) {}

    void run() {
        // A wrong key or type may be the very reason why there is no image.
        const bool is_sound = !reporter_.has_errors();
        for (const auto& [name, service] : stack_.services) {
            if (is_sound)
                check_image(service);
            check_references(service);
            check_ways_in(service);
            check_dependencies(service);
            check_mounts(service);
            check_memory(service);
            check_volumes_from(service);
            check_platform(service);
            check_scale(service);
        }
        check_ports();
        check_container_names();
        check_cycles();
    }

  private:
    template <class Map>
    void undefined(const Service& service,
                   const char* kind,
                   const std::string& attribute,
                   const std::string& name,
                   const Map& known) {
        undefined(
            service, kind, locate(root_, {"services", service.name, attribute, name}), name, known);
    }

    template <class Map>
    void undefined(const Service& service,
                   const char* kind,
                   const Location& at,
                   const std::string& name,
                   const Map& known) {
        if (reporter_.is_full())
            return;
        const std::string meant = closest(name, keys_of(known));
        reporter_.error(
            at,
            "undefined",
            "service `" + service.name + "` refers to undefined " + kind + " `" + name + "`",
            !meant.empty() ? "did you mean `" + meant + "`?"
                           : std::string("declare it under the top-level `") + kind + "s`");
    }

    void check_image(const Service& service) {
        if (service.image.empty() && !service.build && !service.provider)
            reporter_.error(
                locate(root_, {"services", service.name}),
                "no-image",
                "service `" + service.name + "` has neither an image nor a build context specified",
                "add `image:` or `build:`");
    }

    void check_references(const Service& service) {
        for (const auto& [network, attachment] : service.networks)
            if (!stack_.networks.contains(network))
                undefined(service, "network", "networks", network, stack_.networks);
        for (const auto& mount : service.volumes)
            if (mount.type == MountType::volume && !mount.source.empty() &&
                !stack_.volumes.contains(mount.source))
                undefined(service, "volume", "volumes", mount.source, stack_.volumes);
        for (const auto& secret : service.secrets)
            if (!stack_.secrets.contains(secret.source))
                undefined(service, "secret", "secrets", secret.source, stack_.secrets);
        if (service.build)
            check_build_secrets(service);
        for (const auto& config : service.configs)
            if (!stack_.configs.contains(config.source))
                undefined(service, "config", "configs", config.source, stack_.configs);
    }

    void check_build_secrets(const Service& service) {
        for (const auto& secret : service.build->secrets) {
            if (secret.source.empty())
                continue;  // its entry has been complained about
            const auto at =
                locate(root_, {"services", service.name, "build", "secrets", secret.source});
            const auto found = stack_.secrets.find(secret.source);
            if (found == stack_.secrets.end())
                undefined(service, "secret", at, secret.source, stack_.secrets);
            else if (found->second.external && !reporter_.is_full())
                reporter_.error(at,
                                "external-secret",
                                "the build of service `" + service.name + "` needs secret `" +
                                    secret.source + "`, which is external",
                                "give it a `file` or an `environment`");
        }
    }

    /// The host has no way to containers on one of its own interfaces (macvlan, ipvlan).
    void check_ways_in(const Service& service) {
        if (service.ports.empty() || service.networks.empty())
            return;
        for (const auto& [key, attachment] : service.networks) {
            const auto network = stack_.networks.find(key);
            if (network == stack_.networks.end() ||
                (network->second.driver != "macvlan" && network->second.driver != "ipvlan"))
                return;
        }
        reporter_.warning(locate(root_, {"services", service.name, "ports"}),
                          "ignored",
                          "the ports of service `" + service.name +
                              "` are not published: its networks lie on an interface of the host, "
                              "and it is reached there by its own address",
                          "add a bridge network, or take `ports` away");
    }

    bool is_disabled(const std::string& name) const {
        return std::find(stack_.disabled_services.begin(), stack_.disabled_services.end(), name) !=
               stack_.disabled_services.end();
    }

    void check_dependencies(const Service& service) {
        for (const auto& [name, dependency] : service.depends_on) {
            if (stack_.services.contains(name) || reporter_.is_full() ||
                (is_disabled(name) && !dependency.required))
                continue;
            const Location at = locate(root_, {"services", service.name, "depends_on", name});
            if (is_disabled(name)) {
                reporter_.error(at,
                                "disabled-dependency",
                                "service `" + service.name + "` depends on `" + name +
                                    "`, whose profile is not active",
                                "activate it with --profile, or add `required: false`");
                continue;
            }
            const std::string meant = closest(name, keys_of(stack_.services));
            reporter_.error(
                at,
                "undefined",
                "service `" + service.name + "` depends on undefined service `" + name + "`",
                meant.empty() ? "" : "did you mean `" + meant + "`?");
        }
    }

    void check_mounts(const Service& service) {
        std::set<std::string> targets;
        const auto check = [&](const char* attribute, const std::string& target) {
            if (target == "/" && !reporter_.is_full())
                reporter_.error(locate(root_, {"services", service.name, attribute, target}),
                                "mount-on-root",
                                std::string("`") + attribute + "` of service `" + service.name +
                                    "` has the target /",
                                "the root is the image's: mount it on a directory below");
            else if (!targets.insert(target).second && !reporter_.is_full())
                reporter_.error(locate(root_, {"services", service.name, attribute, target}),
                                "duplicate-mount",
                                "service `" + service.name + "` mounts two things on " + target,
                                "remove one of them");
        };
        for (const auto& mount : service.volumes)
            check("volumes", mount.target);
        for (const auto& mount : service.tmpfs)
            check("tmpfs", absolute(split_once(mount, ':').first, "/", ""));
    }

    void check_memory(const Service& service) {
        const Resources& limits = service.resources;
        const Bytes memory = limits.memory.value_or(0);
        const Bytes swap = limits.memory_swap.value_or(0);  // with memory; negative: no limit
        if (memory <= 0 || reporter_.is_full())
            return;
        const auto refuse = [&](const std::string& attribute,
                                const std::string& relation,
                                const std::string& hint) {
            reporter_.error(locate(root_, {"services", service.name, attribute}),
                            "conflict",
                            "`" + attribute + "` of service `" + service.name + "` is " + relation +
                                " than its `mem_limit`",
                            hint);
        };
        if (limits.memory_reservation.value_or(0) > memory)
            refuse("mem_reservation", "more", "what it may count on it must be able to have");
        if (swap > 0 && swap < memory)
            refuse("memswap_limit",
                   "less",
                   "it is of memory and swap together; -1 is no limit of swap");
    }

    void check_volumes_from(const Service& service) {
        for (const auto& from : service.volumes_from)
            if (!model::parse_volumes_from(from) && !reporter_.is_full())
                reporter_.error(locate(root_, {"services", service.name, "volumes_from", from}),
                                "volumes-from",
                                "service `" + service.name + "` takes volumes from `" + from +
                                    "`, which is neither SERVICE[:MODE] nor container:NAME[:MODE]",
                                "the mode is ro or rw");
    }

    void check_platform(const Service& service) {
        if (service.platform.empty() || !service.build || service.build->platforms.empty())
            return;
        const Strings& built = service.build->platforms;
        if (std::find(built.begin(), built.end(), service.platform) == built.end())
            reporter_.error(locate(root_, {"services", service.name, "platform"}),
                            "conflict",
                            "service `" + service.name + "` runs on " + service.platform +
                                ", which is none of its build's platforms",
                            "add it to `build.platforms`");
    }

    void check_scale(const Service& service) {
        const int scale = service.scale.value_or(1);
        if (scale > 1 && !service.container_name.empty())
            reporter_.error(
                locate(root_, {"services", service.name, "container_name"}),
                "container-name",
                "service `" + service.name + "` has a container_name and more than one container",
                "names are unique: remove container_name, or scale to 1");
    }

    /// A port of the host leads to one place. Services that have the same one may be alternatives,
    /// of which one is brought up at a time: that is the plan's to refuse.
    void check_ports() {
        std::map<std::string, std::string> owners;
        for (const auto& [name, service] : stack_.services) {
            if (service.network_mode == "host" || service.scale.value_or(1) == 0)
                continue;
            for (const auto& port : service.ports) {
                if (parse_number<std::uint16_t>(port.published).value_or(0) == 0)
                    continue;  // any free one
                const std::string key = port.host_ip + ":" + port.published + "/" +
                                        std::to_string(static_cast<int>(port.protocol));
                const auto [owner, is_new] = owners.emplace(key, name);
                if (!is_new && owner->second == name && !reporter_.is_full())
                    reporter_.error(locate(root_, {"services", name, "ports", port.published}),
                                    "port-conflict",
                                    "service `" + name + "` publishes port " + port.published +
                                        " of the host twice",
                                    "a port of the host leads to one port of a container");
                else if (!is_new && owner->second != name)
                    reporter_.warning(
                        locate(root_, {"services", name, "ports", port.published}),
                        "port-conflict",
                        "port " + port.published + " of the host is published by service `" + name +
                            "` and by `" + owner->second + "`: only one of them can run",
                        "give one of them another port");
            }
        }
    }

    void check_container_names() {
        std::map<std::string, std::string> owners;
        for (const auto& [name, service] : stack_.services) {
            if (service.container_name.empty())
                continue;
            const auto [owner, is_new] = owners.emplace(service.container_name, name);
            if (!is_new && !reporter_.is_full())
                reporter_.error(locate(root_, {"services", name, "container_name"}),
                                "container-name",
                                "container_name `" + service.container_name +
                                    "` is used by services `" + owner->second + "` and `" + name +
                                    "`",
                                "names are unique: change or remove one of the two",
                                {{"also used here",
                                  locate(root_, {"services", owner->second, "container_name"})}});
        }
    }

    void check_cycles() {
        std::set<std::string> done;
        for (const auto& [name, service] : stack_.services)
            if (!done.contains(name) && finds_cycle(service, done))
                return;
    }

    struct Step {
        const Service* service;
        std::map<std::string, Dependency>::const_iterator next;
    };

    /// Depth first with a stack of its own: a chain of dependencies may be as long as the file.
    bool finds_cycle(const Service& first, std::set<std::string>& done) {
        std::vector<Step> path;
        std::set<std::string> open;
        const auto enter = [&](const Service& service) {
            path.push_back({&service, service.depends_on.begin()});
            open.insert(service.name);
        };
        enter(first);
        while (!path.empty()) {
            auto& [service, next] = path.back();
            if (next == service->depends_on.end()) {
                open.erase(service->name);
                done.insert(service->name);
                path.pop_back();
                continue;
            }
            const std::string& name = (next++)->first;
            const auto found = stack_.services.find(name);
            if (found == stack_.services.end() || done.contains(name))
                continue;
            if (open.contains(name)) {
                report_cycle(path, name);
                return true;
            }
            enter(found->second);
        }
        return false;
    }

    void report_cycle(const std::vector<Step>& path, const std::string& closing) {
        constexpr std::size_t most_shown = 10;
        Strings names;
        for (const auto& step : path)
            if (!names.empty() || step.service->name == closing)
                names.push_back(step.service->name);
        if (names.size() > most_shown) {
            names.resize(most_shown);
            names.emplace_back("…");
        }
        names.push_back(closing);
        reporter_.error(
            locate(root_, {"services", path.back().service->name, "depends_on", closing}),
            "cycle",
            "services depend on each other in a circle: " + join(names, " -> "),
            "none of them could start first: take one dependency away");
    }

    const Stack& stack_;
    const Node& root_;
    Reporter& reporter_;
};

}  // namespace

Location locate(const Node& root, std::initializer_list<std::string> path) {
    const Node* node = &root;
    Location at = root.at;
    for (const auto& part : path) {
        for (const auto& item : node->items)
            if (const Node* reference = reference_to(part, item)) {
                at = reference->at;
                at.length = static_cast<int>(part.size());
                return at;
            }
        const auto entry =
            std::find_if(node->entries.begin(), node->entries.end(), [&](const auto& candidate) {
                return candidate.key.text == part;
            });
        if (entry == node->entries.end())
            break;
        node = &entry->value;
        at = node->is_scalar() ? node->at : entry->key.at;
    }
    return at;
}

void validate(const Stack& stack, const Node& root, Reporter& reporter) {
    Validator(stack, root, reporter).run();
}

}  // namespace stack::loader
