#include "tests/property/worlds.h"

#include "tests/support/fake_world.h"

#include <algorithm>

namespace stack::test {
namespace {

const std::vector<std::string> service_names{"api", "cache", "db", "jobs", "web"};
const std::string one_shot = "jobs";  // the service that does its work and ends
const std::vector<std::string> network_keys{"back", "default", "front"};
const std::vector<std::string> volume_keys{"data", "logs"};
const std::vector<std::string> references{"app:1", "app:2", "redis:7"};
const std::vector<std::string> sources{"s1", "s2"};

// --- stacks ---

Mount volume_mount(const std::string& source, const std::string& target) {
    Mount mount;
    mount.source = source;
    mount.target = target;
    return mount;
}

void choose_image(Service& service, Chance& chance) {
    service.build.reset();
    service.image.clear();
    if (!chance.one_in(4)) {
        service.image = chance.pick(references);
        return;
    }
    service.build.emplace().context = "/src";
    if (chance.one_in(3))
        service.image = "built:1";
    if (chance.one_in(4))
        service.pull_policy = "build";
}

void choose_networks(Service& service, Chance& chance) {
    service.networks.clear();
    for (const auto& key : network_keys)
        if (chance.one_in(2)) {
            auto& attachment = service.networks[key];
            if (chance.one_in(3))
                attachment.aliases = {chance.pick<std::string>({"main", "other"})};
            if (chance.one_in(8))
                attachment.ipv4_address = chance.pick<std::string>({"10.0.0.7", "10.0.0.8"});
        }
}

/// What makes a container another one.
void choose_identity(Service& service, Chance& chance) {
    choose_image(service, chance);
    choose_networks(service, chance);
    service.ports.clear();
    if (chance.one_in(4))
        service.ports.push_back({.target = 80});
    service.environment["MODE"] = chance.pick<std::string>({"dev", "prod"});
    service.container_name = chance.one_in(8) ? chance.pick<std::string>({"one", "two"}) : "";
    service.volumes.clear();
    if (chance.one_in(3))
        service.volumes.push_back(volume_mount(chance.pick(volume_keys), "/data"));
    if (chance.one_in(6))
        service.volumes.push_back(volume_mount("", "/scratch"));
    if (chance.one_in(3) && service.name != one_shot)
        service.healthcheck.emplace().test = {"CMD", "true"};
}

/// What it may have another way while it stays the same.
void choose_life(Service& service, Chance& chance) {
    service.scale = static_cast<int>(chance.below(4));
    service.restart.condition = chance.one_in(2) ? RestartCondition::always : RestartCondition::no;
    service.resources.memory.reset();
    if (chance.one_in(3))
        service.resources.memory = chance.one_in(2) ? 64 << 20 : 128 << 20;
}

void choose_dependencies(Stack& stack, const Strings& order, Chance& chance) {
    const auto condition = [&](const std::string& dependency) {
        if (dependency == one_shot)
            return DependencyCondition::completed_successfully;
        return chance.one_in(2) ? DependencyCondition::started : DependencyCondition::healthy;
    };
    for (std::size_t later = 1; later < order.size(); ++later)
        for (std::size_t earlier = 0; earlier < later; ++earlier)
            if (chance.one_in(3))
                stack.services[order[later]].depends_on[order[earlier]] = {
                    condition(order[earlier]), chance.one_in(3), !chance.one_in(4)};
    if (order.size() > 1 && chance.one_in(8)) {
        auto& sharer = stack.services[order[1]];
        sharer.networks.clear();
        sharer.network_mode = "service:" + order[0];
        sharer.depends_on[order[0]].restart = true;
    }
}

/// A container_name is one container's; the loader refuses the rest.
void keep_names_unique(Stack& stack) {
    Strings seen;
    for (auto& [name, service] : stack.services) {
        if (service.container_name.empty())
            continue;
        if (std::find(seen.begin(), seen.end(), service.container_name) != seen.end())
            service.container_name.clear();
        else
            service.scale = std::min(service.scale.value_or(1), 1);
        seen.push_back(service.container_name);
    }
}

Stack random_stack(Chance& chance) {
    Stack stack;
    stack.name = "shop";
    for (const auto& key : network_keys) {
        auto& network = stack.networks[key];
        network.key = key;
        network.name = chance.one_in(12) ? "shared_" + key : "shop_" + key;
        network.internal = chance.one_in(3);
        network.external = network.name.starts_with("shared_") && chance.one_in(2);
    }
    for (const auto& key : volume_keys) {
        auto& volume = stack.volumes[key];
        volume.key = key;
        volume.name = chance.one_in(12) ? "shared_" + key : "shop_" + key;
        volume.external = volume.name.starts_with("shared_") && chance.one_in(2);
    }
    Strings order = service_names;
    chance.shuffle(order);
    order.resize(1 + chance.below(order.size()));
    for (const auto& name : order) {
        auto& service = stack.services[name];
        service.name = name;
        choose_identity(service, chance);
        choose_life(service, chance);
    }
    choose_dependencies(stack, order, chance);
    keep_names_unique(stack);
    return stack;
}

/// What the stack may have been before somebody edited its file.
Stack older_version(Stack stack, Chance& chance) {
    for (auto& [key, network] : stack.networks)
        if (chance.one_in(6))
            network.internal = !network.internal;
    for (auto& [key, volume] : stack.volumes)
        if (chance.one_in(8))
            volume.labels["version"] = "old";
    for (auto& [name, service] : stack.services) {
        if (chance.one_in(4) && service.network_mode.empty())
            choose_identity(service, chance);
        if (chance.one_in(3))
            choose_life(service, chance);
    }
    if (chance.one_in(4)) {
        Service gone;
        gone.name = "gone";
        choose_identity(gone, chance);
        choose_life(gone, chance);
        stack.services.emplace(gone.name, gone);
    }
    keep_names_unique(stack);
    return stack;
}

// --- worlds ---

ObservedContainer container_of(const std::string& project, const std::string& name) {
    ObservedContainer container;
    container.id = "id-" + name;
    container.name = name;
    container.project = project;
    container.service = "web";
    container.number = 1;
    container.state = ContainerState::running;
    return container;
}

/// Things that are not the stack's, some with names that it uses.
Observed world_of_others() {
    Observed world;
    world.containers.push_back(container_of("blog", "blog-web-1"));
    for (const auto& key : network_keys)
        world.networks.push_back(
            {"shared_" + key, "blog", key, "of another stack", "br", {}, false});
    for (const auto& key : volume_keys)
        world.volumes.push_back({"shared_" + key, "", key, "", false});
    return world;
}

void choose_builds(Observed& world, const Stack& stack, Chance& chance) {
    world.builds.clear();
    for (const auto& [name, service] : stack.services)
        if (service.build)
            world.builds.push_back({name, service.image.empty() ? chance.pick(sources) : "s1"});
}

void disturb(ObservedContainer& container, Chance& chance) {
    switch (chance.below(8)) {
        case 0:
            container.state = ContainerState::exited;
            container.exit.code = static_cast<int>(chance.below(2));
            container.health = Health::none;
            break;
        case 1:
            container.state = ContainerState::exited;
            container.exit.code = 143;
            container.stopped_by_user = true;
            break;
        case 2:
            container.state = ContainerState::created;
            container.health = Health::none;
            break;
        case 3:
            container.state = ContainerState::paused;
            break;
        case 4:
            container.health = Health::unhealthy;
            break;
        case 5:
            container.image_id = "sha256:older";
            break;
        default:
            break;
    }
}

/// A copy that a crash left behind, under a name that is the wrong one or sorts before it.
void leave_a_duplicate(Observed& world, Chance& chance) {
    ObservedContainer copy = chance.pick(world.containers);
    if (copy.project != "shop")
        return;
    copy.name = chance.pick<std::string>({"a-", "z-"}) + copy.name;
    copy.id = "id-" + copy.name;
    copy.mounts.clear();  // anonymous volumes are one container's
    world.containers.push_back(copy);
}

/// Whether a container was made from another image than a pull would bring: only a second look
/// finds that.
bool outlives_its_image(const Observed& world, const std::string& reference) {
    return std::any_of(
        world.containers.begin(), world.containers.end(), [&](const ObservedContainer& container) {
            return container.image == reference && container.image_id != fake_image_id(reference);
        });
}

void damage(Observed& world, Chance& chance) {
    std::erase_if(world.containers, [&](const auto& container) {
        return container.project == "shop" && chance.one_in(8);
    });
    for (auto& container : world.containers)
        if (container.project == "shop" && chance.one_in(3))
            disturb(container, chance);
    if (chance.one_in(5))
        leave_a_duplicate(world, chance);
    std::erase_if(world.networks, [&](const auto& network) {
        return network.project == "shop" && chance.one_in(10);
    });
    std::erase_if(world.volumes, [&](const auto& volume) {
        return volume.project == "shop" && !volume.anonymous && chance.one_in(10);
    });
    std::erase_if(world.images, [&](const auto& image) {
        return chance.one_in(10) && !outlives_its_image(world, image.reference);
    });
    if (chance.one_in(6)) {
        auto oneoff = container_of("shop", "shop-web-run-1");
        oneoff.oneoff = true;
        world.containers.push_back(oneoff);
    }
}

PlanOptions random_options(const Stack& stack, Chance& chance) {
    PlanOptions options;
    for (const auto& [name, service] : stack.services) {
        if (chance.one_in(10) && service.container_name.empty())
            options.scale[name] = static_cast<int>(chance.below(4));
        if (chance.one_in(10))
            options.services.push_back(name);
    }
    options.no_deps = chance.one_in(8);
    options.no_start = chance.one_in(8);
    options.remove_orphans = chance.one_in(3);
    options.wait = chance.one_in(4);
    options.build = chance.one_in(8);
    options.recreate_dependencies = chance.one_in(8);
    if (chance.one_in(10))
        options.recreate = RecreatePolicy::never;
    if (chance.one_in(8)) {
        options.renew_anonymous_volumes = true;
        options.renew_salt = "renewed";
    }
    return options;
}

}  // namespace

Pair pair_for(std::uint64_t seed) {
    Chance chance(seed);
    Pair pair;
    pair.desired = random_stack(chance);
    pair.observed = world_of_others();
    if (!chance.one_in(10)) {
        const Stack older = older_version(pair.desired, chance);
        choose_builds(pair.observed, older, chance);
        pair.observed = apply(pair.observed, plan_up(older, pair.observed, {}), Time{});
        damage(pair.observed, chance);
    }
    choose_builds(pair.observed, pair.desired, chance);
    if (chance.one_in(2))
        pair.options = random_options(pair.desired, chance);
    return pair;
}

Observed shuffled(Observed observed, Chance& chance) {
    chance.shuffle(observed.containers);
    chance.shuffle(observed.networks);
    chance.shuffle(observed.volumes);
    chance.shuffle(observed.images);
    chance.shuffle(observed.builds);
    return observed;
}

std::vector<std::size_t> some_order(const Plan& plan, Chance& chance) {
    std::vector<std::size_t> order;
    std::vector<bool> done(plan.actions.size());
    while (order.size() < plan.actions.size()) {
        std::vector<std::size_t> ready;
        for (std::size_t i = 0; i < plan.actions.size(); ++i) {
            const auto& after = plan.actions[i].after;
            if (!done[i] &&
                std::all_of(after.begin(), after.end(), [&](auto j) { return done[j]; }))
                ready.push_back(i);
        }
        const std::size_t next = chance.pick(ready);
        done[next] = true;
        order.push_back(next);
    }
    return order;
}

}  // namespace stack::test
