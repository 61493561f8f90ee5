#include "loader/validate.h"

#include "base/text.h"

#include <algorithm>
#include <set>

namespace stack::loader {
namespace {

/// The place of a value in the merged file; the nearest node above it where it has none of its own.
Location locate(const Node& root, std::initializer_list<std::string> path) {
    const Node* node = &root;
    for (const auto& part : path) {
        const Node* next = node->find(part);
        if (next == nullptr && node->is_sequence())
            for (const auto& item : node->items) {
                const Node* source = item.find("source");
                if (item.value == part || item.value.starts_with(part + ":") ||
                    (source != nullptr && source->value == part)) {
                    Location at = item.is_mapping() ? source->at : item.at;
                    at.length = static_cast<int>(part.size());
                    return at;
                }
            }
        if (next == nullptr)
            break;
        for (const auto& [key, value] : node->entries)
            if (key.text == part && (value.is_mapping() || value.is_null()))
                if (&part == path.end() - 1)
                    return key.at;
        node = next;
    }
    return node->at;
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
        for (const auto& [name, service] : stack_.services) {
            check_image(service);
            check_references(service);
            check_dependencies(service);
            check_mounts(service);
            check_scale(service);
        }
        check_ports();
        check_container_names();
        check_cycles();
    }

  private:
    void undefined(const Service& service,
                   const char* kind,
                   const std::string& attribute,
                   const std::string& name,
                   const Strings& known) {
        const std::string meant = closest(name, known);
        reporter_.error(
            locate(root_, {"services", service.name, attribute, name}),
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
                undefined(service, "network", "networks", network, keys_of(stack_.networks));
        for (const auto& mount : service.volumes)
            if (mount.type == MountType::volume && !mount.source.empty() &&
                !stack_.volumes.contains(mount.source))
                undefined(service, "volume", "volumes", mount.source, keys_of(stack_.volumes));
        for (const auto& secret : service.secrets)
            if (!stack_.secrets.contains(secret.source))
                undefined(service, "secret", "secrets", secret.source, keys_of(stack_.secrets));
        for (const auto& config : service.configs)
            if (!stack_.configs.contains(config.source))
                undefined(service, "config", "configs", config.source, keys_of(stack_.configs));
    }

    bool is_disabled(const std::string& name) const {
        return std::find(stack_.disabled_services.begin(), stack_.disabled_services.end(), name) !=
               stack_.disabled_services.end();
    }

    void check_dependencies(const Service& service) {
        for (const auto& [name, dependency] : service.depends_on) {
            if (stack_.services.contains(name) || !dependency.required)
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
        for (const auto& mount : service.volumes)
            if (!targets.insert(mount.target).second)
                reporter_.error(locate(root_, {"services", service.name, "volumes"}),
                                "duplicate-mount",
                                "service `" + service.name + "` mounts " + mount.target + " twice");
    }

    void check_scale(const Service& service) {
        const int scale = service.scale.value_or(1);
        if (scale < 0)
            reporter_.error(locate(root_, {"services", service.name, "scale"}),
                            "scale",
                            "a service cannot have fewer than no containers");
        if (scale > 1 && !service.container_name.empty())
            reporter_.error(
                locate(root_, {"services", service.name, "container_name"}),
                "container-name",
                "service `" + service.name + "` has a container_name and more than one container",
                "names are unique: remove container_name, or scale to 1");
    }

    /// Two services cannot have one port of the host.
    void check_ports() {
        std::map<std::string, std::string> owners;
        for (const auto& [name, service] : stack_.services)
            for (const auto& port : service.ports) {
                if (!parse_number<std::uint16_t>(port.published))
                    continue;
                const std::string key = port.host_ip + ":" + port.published + "/" +
                                        std::to_string(static_cast<int>(port.protocol));
                const auto [owner, is_new] = owners.emplace(key, name);
                if (!is_new && owner->second != name)
                    reporter_.error(locate(root_, {"services", name, "ports"}),
                                    "port-conflict",
                                    "port " + port.published +
                                        " of the host is published by service `" + name +
                                        "` and by `" + owner->second + "`",
                                    "give one of them another port",
                                    {{"first published here",
                                      locate(root_, {"services", owner->second, "ports"})}});
            }
    }

    void check_container_names() {
        std::map<std::string, std::string> owners;
        for (const auto& [name, service] : stack_.services) {
            if (service.container_name.empty())
                continue;
            const auto [owner, is_new] = owners.emplace(service.container_name, name);
            if (!is_new)
                reporter_.error(locate(root_, {"services", name, "container_name"}),
                                "container-name",
                                "container_name `" + service.container_name +
                                    "` is used by services `" + owner->second + "` and `" + name +
                                    "`");
        }
    }

    void check_cycles() {
        std::set<std::string> done;
        for (const auto& [name, service] : stack_.services) {
            Strings path;
            if (find_cycle(name, path, done))
                return;
        }
    }

    bool find_cycle(const std::string& name, Strings& path, std::set<std::string>& done) {
        const auto begin = std::find(path.begin(), path.end(), name);
        if (begin != path.end()) {
            path.push_back(name);
            reporter_.error(
                locate(root_, {"services", name, "depends_on"}),
                "cycle",
                "services depend on each other in a circle: " + join({begin, path.end()}, " -> "));
            return true;
        }
        const auto service = stack_.services.find(name);
        if (service == stack_.services.end() || done.contains(name))
            return false;
        path.push_back(name);
        for (const auto& [dependency, how] : service->second.depends_on)
            if (find_cycle(dependency, path, done))
                return true;
        path.pop_back();
        done.insert(name);
        return false;
    }

    const Stack& stack_;
    const Node& root_;
    Reporter& reporter_;
};

}  // namespace

void validate(const Stack& stack, const Node& root, Reporter& reporter) {
    Validator(stack, root, reporter).run();
}

}  // namespace stack::loader
