#include "tests/support/fake_world.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/signals.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace stack::test {
namespace {

template <class Elements>
auto* find_name(Elements& elements, const std::string& name) {
    const auto found = std::find_if(elements.begin(), elements.end(), [&](const auto& element) {
        return element.name == name;
    });
    return found == elements.end() ? nullptr : &*found;
}

ObservedImage* find_image(Observed& world, const std::string& reference) {
    const auto found =
        std::find_if(world.images.begin(), world.images.end(), [&](const ObservedImage& image) {
            return image.reference == reference;
        });
    return found == world.images.end() ? nullptr : &*found;
}

ObservedContainer* find_id(Observed& world, const std::string& id) {
    const auto found = std::find_if(world.containers.begin(),
                                    world.containers.end(),
                                    [&](const auto& container) { return container.id == id; });
    return found == world.containers.end() ? nullptr : &*found;
}

bool mounts(const ObservedContainer& container, const std::string& volume) {
    return std::any_of(container.mounts.begin(), container.mounts.end(), [&](const Mount& mount) {
        return mount.type == MountType::volume && mount.source == volume;
    });
}

void end(ObservedContainer& container, int signal, Time now) {
    constexpr int by_signal = 128;
    container.state = ContainerState::exited;
    container.exit = {signal == 0 ? 0 : by_signal + signal, signal, false};
    container.finished = now;
    container.health = Health::none;
    container.pid = 0;
    container.addresses.clear();
    container.lenders.clear();
}

/// One action's effect on one world.
class Effect {
  public:
    Effect(Observed& world, Time now) : world_(world), now_(now) {}

    void operator()(const PullImage& a) { put_image(a.reference, {}, a.platform); }

    void operator()(const BuildImage& a) { put_image(a.tag, a.source_digest); }

    void operator()(const CreateNetwork& a) {
        if (find_name(world_.networks, a.network.name) == nullptr)
            world_.networks.push_back(
                {a.network.name, a.project, a.network.key, a.config_digest, "br", {}, false});
    }

    void operator()(const RemoveNetwork& a) {
        for (const auto& container : world_.containers)
            if (is_up(container) && container.service_config->networks.contains(a.name))
                throw Error("network " + a.name + " is in use by container " + container.name);
        std::erase_if(world_.networks, [&](const auto& network) { return network.name == a.name; });
    }

    void operator()(const CreateVolume& a) {
        if (find_name(world_.volumes, a.volume.name) == nullptr)
            world_.volumes.push_back(
                {a.volume.name, a.project, a.volume.key, a.config_digest, false});
    }

    void operator()(const RemoveVolume& a) {
        for (const auto& container : world_.containers)
            if (mounts(container, a.name))
                throw Error("volume " + a.name + " is in use by container " + container.name);
        std::erase_if(world_.volumes, [&](const auto& volume) { return volume.name == a.name; });
    }

    void operator()(const CreateContainer& a);
    void operator()(const StartContainer& a);

    void operator()(const StopContainer& a) {
        auto* container = find_id(world_, a.id);
        if (container == nullptr)
            return;
        container->stopped_by_user = true;
        constexpr int sigterm = 15;
        if (is_up(*container))
            end(*container, sigterm, now_);
    }

    void operator()(const KillContainer& a) {
        auto* container = find_id(world_, a.id);
        const auto signal = parse_signal(a.signal.empty() ? "KILL" : a.signal);
        if (container == nullptr || !is_up(*container) || !signal)
            return;
        const std::string& own = container->service_config->stop_signal;
        if (signal == parse_signal("KILL") || signal == parse_signal(own.empty() ? "TERM" : own))
            container->stopped_by_user = true;
        end(*container, *signal, now_);
    }

    void operator()(const PauseContainer& a) {
        auto* container = find_id(world_, a.id);
        if (container != nullptr && is_up(*container))
            container->state = a.paused ? ContainerState::paused : ContainerState::running;
    }

    void operator()(const RemoveContainer& a);

    void operator()(const UpdateContainer& a) {
        auto* container = find_id(world_, a.id);
        if (container == nullptr)
            throw Error("there is no container " + a.name + " to update");
        Service updated = container->service_config;
        updated.resources = a.service->resources;
        updated.restart = a.service->restart;
        updated.networks = a.service->networks;
        container->service_config = std::move(updated);
        container->config_digest = a.config_digest;
        if (is_up(*container))
            connect(*container);
    }

    void operator()(const AwaitHealthy& a) { running(a.name).health = Health::healthy; }

    void operator()(const AwaitCompleted& a) {
        auto* container = find_container(world_, a.name);
        if (container == nullptr)
            throw Error("there is no container " + a.name + " to wait for");
        if (is_up(*container))
            end(*container, 0, now_);
    }

  private:
    void put_image(const std::string& reference,
                   const std::string& source_digest,
                   const std::string& platform = {}) {
        const std::string id = fake_image_id(reference, source_digest);
        if (auto* image = find_image(world_, reference))
            *image = {reference, id, source_digest, now_, now_, platform};
        else
            world_.images.push_back({reference, id, source_digest, now_, now_, platform});
    }

    void connect(ObservedContainer& container);
    void join(ObservedContainer& container) const;

    ObservedContainer& running(const std::string& name) {
        auto* container = find_container(world_, name);
        if (container == nullptr || !is_up(*container))
            throw Error("container " + name + " does not run");
        return *container;
    }

    Observed& world_;
    Time now_;
};

void Effect::operator()(const CreateContainer& a) {
    const ContainerSpec& spec = *a.spec;
    const auto* image = find_image(world_, spec.image);
    if (image == nullptr)
        throw Error("image " + spec.image + " is not in the store");
    StringMap mounted;
    for (const auto& mount : spec.service.volumes)
        if (mount.type == MountType::image) {
            const auto* other = find_image(world_, mount.source);
            if (other == nullptr)
                throw Error("image " + mount.source + " is not in the store");
            mounted[mount.source] = other->id;
        }
    if (const auto* taken = find_container(world_, spec.name)) {
        if (!is_of_command(spec) && taken->project == spec.project &&
            taken->config_digest == spec.config_digest && taken->image_id == image->id &&
            taken->mounted_images == mounted)
            return;
        throw Error("the name " + spec.name + " belongs to another container");
    }
    ObservedContainer made;
    made.id = sha256_hex(spec.name + std::to_string(now_.time_since_epoch().count()) +
                         spec.config_digest + image->id);
    made.name = spec.name;
    made.project = spec.project;
    made.service = spec.service.name;
    made.number = spec.number;
    made.oneoff = spec.oneoff;
    made.auto_remove = spec.auto_remove;
    made.config_digest = spec.config_digest;
    made.service_config = spec.service;
    made.anonymous_salt = spec.anonymous_salt;
    made.image = spec.image;
    made.image_id = image->id;
    made.mounted_images = std::move(mounted);
    made.created = now_;
    made.mounts = spec.service.volumes;
    for (auto& mount : made.mounts)
        if (mount.type == MountType::volume && mount.source.empty())
            mount.source = sha256_hex(spec.name + mount.target + spec.anonymous_salt);
    world_.containers.push_back(std::move(made));
}

/// To the networks that it should be in, and to no other.
void Effect::connect(ObservedContainer& container) {
    const auto& wanted = container.service_config->networks;
    std::erase_if(container.addresses,
                  [&](const auto& address) { return !wanted.contains(address.network); });
    for (const auto& [network, attachment] : wanted) {
        if (std::any_of(container.addresses.begin(),
                        container.addresses.end(),
                        [&](const auto& address) { return address.network == network; }))
            continue;  // it holds on to that one, whatever became of the rest of it
        if (find_name(world_.networks, network) == nullptr)
            throw Error("network " + network + " does not exist");
        container.addresses.push_back({network, "10.0.0.2", ""});
    }
}

/// The namespaces of the first container that lives of each service that it shares with.
void Effect::join(ObservedContainer& container) const {
    constexpr std::string_view prefix = "service:";
    const Service& service = container.service_config;
    container.lenders.clear();
    for (const auto& mode : {service.network_mode, service.pid, service.ipc}) {
        if (!mode.starts_with(prefix))
            continue;
        const ObservedContainer* first = nullptr;
        for (const auto& other : world_.containers)
            if (other.project == container.project && other.service == mode.substr(prefix.size()) &&
                !other.oneoff && is_up(other) && (!first || other.number < first->number))
                first = &other;
        container.lenders.push_back(first ? first->id : "");
    }
}

bool is_named(const Service& service, const std::string& volume) {
    return std::any_of(service.volumes.begin(), service.volumes.end(), [&](const Mount& mount) {
        return mount.source == volume;
    });
}

void Effect::operator()(const StartContainer& a) {
    auto* container = find_container(world_, a.name);
    if (container == nullptr)
        throw Error("container " + a.name + " does not exist");
    if (is_up(*container))
        return;
    const Service& service = container->service_config;
    container->addresses.clear();
    connect(*container);
    join(*container);
    if (!service.ports.empty() && !container->addresses.empty())
        container->addresses.front().published = true;
    for (const auto& mount : container->mounts)
        if (mount.type == MountType::volume && find_name(world_.volumes, mount.source) == nullptr)
            world_.volumes.push_back({mount.source,
                                      container->project,
                                      "",
                                      "",
                                      !is_named(service, mount.source)});  // or anonymous
    const bool has_check = service.healthcheck && !service.healthcheck->disabled;
    container->state = ContainerState::running;
    container->health = has_check ? Health::starting : Health::none;
    container->exit = {};
    container->stopped_by_user = false;
    container->started = now_;
    container->pid = 1;
}

void Effect::operator()(const RemoveContainer& a) {
    const auto* container = find_id(world_, a.id);
    if (container == nullptr)
        return;
    if (is_up(*container))
        throw Error("container " + a.name + " is running: stop it first");
    Strings anonymous;
    for (const auto& mount : container->mounts)
        if (const auto* volume = find_name(world_.volumes, mount.source);
            a.anonymous_volumes && volume != nullptr && volume->anonymous)
            anonymous.push_back(volume->name);
    std::erase_if(world_.containers, [&](const auto& one) { return one.id == a.id; });
    for (const auto& name : anonymous)
        (*this)(RemoveVolume{name});
}

}  // namespace

Observed apply(Observed world, const Action& action, Time now) {
    Effect effect(world, now);
    std::visit(effect, action);
    return world;
}

Observed apply(Observed world, const Plan& plan, Time now) {
    for (const auto& planned : plan.actions)
        world = apply(std::move(world), planned.action, now);
    return world;
}

ObservedContainer* find_container(Observed& world, const std::string& name) {
    return find_name(world.containers, name);
}

const ObservedContainer* find_container(const Observed& world, const std::string& name) {
    return find_name(world.containers, name);
}

std::string fake_image_id(const std::string& reference, const std::string& source_digest) {
    return "sha256:" + sha256_hex(reference + "\n" + source_digest);
}

}  // namespace stack::test
