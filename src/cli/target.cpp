#include "cli/target.h"

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/local.h"
#include "cli/project.h"
#include "engine/runtime/runtime.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace stack::cli {
namespace {

/// Its own name or id, or the only id that begins so.
ObservedContainer named_container(const std::vector<ObservedContainer>& all,
                                  const std::string& name) {
    Strings names;
    std::vector<const ObservedContainer*> beginning;
    for (const auto& container : all) {
        if (container.name == name || container.id == name)
            return container;
        names.push_back(container.name);
        if (!name.empty() && container.id.starts_with(name))
            beginning.push_back(&container);
    }
    if (beginning.size() == 1)
        return *beginning.front();
    if (beginning.size() > 1)
        give_up("\"" + name + "\" begins the ids of several containers, " + beginning[0]->name +
                " and " + beginning[1]->name + " among them: give more of it");
    const std::string meant = closest(name, names);
    give_up("No such container: " + name +
            (meant.empty() ? " (see `stack container ls -a`)" : "; did you mean " + meant + "?"));
}

std::string described(const Target& target) {
    if (target.naming == Naming::container)
        return "container " + target.name;
    return "service \"" + target.name + "\"" +
           (target.index == 0 ? "" : " container #" + std::to_string(target.index));
}

std::vector<ObservedContainer> candidates(const Context& context, const Target& target) {
    if (target.naming == Naming::container)
        return {named_container(all_containers(context), target.name)};
    const Stack stack = find_project(context, {target.name});
    LocalEngine local(context.paths);
    auto list = containers_of(stack, local.observe(stack), {target.name});
    std::erase_if(list, [&](const ObservedContainer& container) {
        return target.index != 0 && container.number != target.index;
    });
    return list;
}

}  // namespace

std::vector<ObservedContainer> all_containers(const Context& context) {
    const cgroup::Cgroups cgroups;
    network::Networks networks(context.paths);
    const runtime::Runtime runtime(context.paths, cgroups, networks);
    std::vector<ObservedContainer> containers;
    bool are_all_readable = true;
    for (const auto& id : runtime.list())
        if (auto container = runtime.observe(id))
            containers.push_back(std::move(*container));
        else
            are_all_readable = false;  // or it has just been removed
    if (!are_all_readable)
        for (const auto& id : runtime.damaged())
            warn("the record of container " + id.substr(0, 12) +
                 " is damaged: it is not shown (`stack container rm -f " + id.substr(0, 12) +
                 "` takes it away)");
    note_restarting(context.paths, containers);
    std::sort(containers.begin(), containers.end(), [](const auto& a, const auto& b) {
        return std::tie(a.created, a.name) < std::tie(b.created, b.name);
    });
    return containers;
}

void declare_target(CLI::App& app, Target& target) {
    if (target.naming == Naming::service)
        app.add_option("SERVICE", target.name, "The service")->required();
    else
        app.add_option("CONTAINER", target.name, "Its name, or the beginning of its id")
            ->required();
    if (target.naming == Naming::service)
        app.add_option(
            "--index", target.index, "Which of the service's containers (default: the first)");
}

ObservedContainer find_target(const Context& context, const Target& target) {
    auto list = candidates(context, target);
    if (list.empty())
        give_up(described(target) + " has no container: see `stack ps -a`, or `stack create " +
                target.name + "`");
    return std::move(list.front());
}

ObservedContainer find_up_target(const Context& context, const Target& target) {
    auto list = candidates(context, target);
    std::erase_if(list, std::not_fn(is_up));
    if (list.empty())
        give_up(described(target) + " is not running: see " +
                (target.naming == Naming::service
                     ? "`stack ps -a`, or `stack up -d " + target.name + "`"
                     : "`stack container ls -a`, or `stack container start " + target.name + "`"));
    std::stable_partition(list.begin(), list.end(), [](const ObservedContainer& container) {
        return container.state == ContainerState::running;
    });
    return std::move(list.front());
}

ObservedContainer find_running_target(const Context& context,
                                      const Target& target,
                                      const std::string& purpose) {
    auto container = find_up_target(context, target);
    if (container.state == ContainerState::paused)
        give_up(described(target) + " is paused: unpause it before " + purpose + ", by `stack " +
                (target.naming == Naming::service ? "" : "container ") + "unpause " + target.name +
                "`");
    return container;
}

void declare_targets(CLI::App& app, Targets& targets) {
    if (targets.naming == Naming::service)
        app.add_option("SERVICE", targets.names, "Only these services");
    else
        app.add_option("CONTAINER", targets.names, "Their names, or the beginnings of their ids")
            ->required();
}

std::vector<ObservedContainer> find_targets(const Context& context, const Targets& targets) {
    if (targets.naming == Naming::service) {
        const Stack stack = find_project(context, targets.names);
        LocalEngine local(context.paths);
        return containers_of(stack, local.observe(stack), targets.names, targets.with_oneoff);
    }
    Found found = find_present(context, targets);
    if (!found.all)
        throw Exit{1};
    return std::move(found.containers);
}

Found find_present(const Context& context, const Targets& targets) {
    const auto all = all_containers(context);
    Found found;
    for (const auto& name : targets.names) {
        try {
            auto container = named_container(all, name);
            if (std::none_of(found.containers.begin(),
                             found.containers.end(),
                             [&](const auto& one) { return one.id == container.id; }))
                found.containers.push_back(std::move(container));
        } catch (const Exit&) {
            found.all = false;
            const auto begun = std::count_if(
                all.begin(), all.end(), [&](const auto& one) { return one.id.starts_with(name); });
            found.ambiguous = found.ambiguous || begun > 1;
        }
    }
    return found;
}

}  // namespace stack::cli
