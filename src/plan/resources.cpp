#include "plan/resources.h"

#include "model/digest.h"
#include "plan/resolve.h"

#include <algorithm>

namespace stack::plan {
namespace {

/// The one of that real name; nullptr where there is none.
template <class Resource>
const Resource* find_name(const std::vector<Resource>& resources, const std::string& name) {
    const auto found = std::find_if(
        resources.begin(), resources.end(), [&](const Resource& one) { return one.name == name; });
    return found == resources.end() ? nullptr : &*found;
}

std::string missing_external(const std::string& kind, const std::string& name) {
    return kind + " " + name + " is external and does not exist: `stack " + kind + " create " +
           name + "` makes it, or take `external` away";
}

std::string not_ours(const std::string& what) {
    return what +
           " was not made by this stack; it is used as it is (declare it external to say so)";
}

}  // namespace

void Resources::plan(const Service& service) {
    for (const auto& [key, attachment] : service.networks)
        if (const auto found = desired_.networks.find(key); found != desired_.networks.end())
            plan_once(found->first, found->second);
    for (const auto& mount : service.volumes)
        if (const auto found = desired_.volumes.find(mount.source);
            mount.type == MountType::volume && found != desired_.volumes.end())
            plan_once(found->first, found->second);
}

void Resources::plan_all() {
    for (const auto& [key, network] : desired_.networks)
        plan_once(key, network);
    for (const auto& [key, volume] : desired_.volumes)
        plan_once(key, volume);
}

void Resources::plan_once(const std::string& key, const Network& network) {
    if (seen_networks_.insert(key).second)
        plan_network(network);
}

void Resources::plan_once(const std::string& key, const Volume& volume) {
    if (seen_volumes_.insert(key).second)
        plan_volume(volume);
}

void Resources::plan_network(const Network& network) {
    const std::string what = "network " + network.name;
    const ObservedNetwork* present = find_name(observed_.networks, network.name);
    if (network.external) {
        if (!present)
            builder_.refuse(missing_external("network", network.name));
        return;
    }
    const std::string digest = model::config_digest(network);
    const CreateNetwork create{desired_.name, network, digest};
    if (!present)
        networks_[network.name] = builder_.add(create, "network/" + network.name, "not found");
    else if (present->project != desired_.name)
        builder_.warn(not_ours(what));
    else if (present->config_digest != digest && !keep_ &&
             options_.recreate != RecreatePolicy::never)
        remake(network, create);
}

void Resources::remake(const Network& network, const CreateNetwork& create) {
    if (const auto* user = lasting_user(network.name)) {
        builder_.warn("network " + network.name +
                      " differs from its description in the stack file; it is kept as it is, "
                      "since container " +
                      user->name + " uses it and is not part of this command");
        return;
    }
    const std::string resource = "network/" + network.name;
    constexpr const char* reason = "configuration changed";
    const Node removed = builder_.add(RemoveNetwork{network.name}, resource, reason);
    const Node made = builder_.add(create, resource, reason);
    builder_.order(removed, made);
    networks_[network.name] = made;
    removed_networks_[network.name] = removed;
}

/// A container that runs on the network and that this plan leaves alone.
const ObservedContainer* Resources::lasting_user(const std::string& network) const {
    const ObservedContainer* first = nullptr;
    for (const auto& container : observed_.containers) {
        const bool replaced = container.project == desired_.name && !container.oneoff &&
                              (selected_.contains(container.service) ||
                               (options_.remove_orphans && !is_known(desired_, container.service)));
        if (!replaced && is_up(container) && container.service_config->networks.contains(network) &&
            (!first || container.name < first->name))
            first = &container;
    }
    return first;
}

void Resources::plan_volume(const Volume& volume) {
    const std::string what = "volume " + volume.name;
    const ObservedVolume* present = find_name(observed_.volumes, volume.name);
    if (volume.external) {
        if (!present)
            builder_.refuse(missing_external("volume", volume.name));
        return;
    }
    const std::string digest = model::config_digest(volume);
    if (!present)
        volumes_[volume.name] = builder_.add(
            CreateVolume{desired_.name, volume, digest}, "volume/" + volume.name, "not found");
    else if (present->project != desired_.name)
        builder_.warn(not_ours(what));
    else if (present->config_digest != digest)
        builder_.warn(what +
                      " differs from its description in the stack file; it is kept as it is, "
                      "since its data would be lost otherwise");
}

void Resources::order(const Service& service, Node user) {
    for (const auto& [name, attachment] : service.networks)
        if (const auto network = networks_.find(name); network != networks_.end())
            builder_.order(network->second, user);
    // A start that came before its volume would make one that is taken for anonymous.
    for (const auto& mount : service.volumes)
        if (const auto volume = volumes_.find(mount.source); volume != volumes_.end())
            builder_.order(volume->second, user);
}

void Resources::order_removals(const std::map<std::string, NetworkAttachment>& networks,
                               Node last) {
    for (const auto& [name, attachment] : networks)
        if (const auto removed = removed_networks_.find(name); removed != removed_networks_.end())
            builder_.order(last, removed->second);
}

bool Resources::is_made_anew(const std::string& network) const {
    return removed_networks_.contains(network);
}

}  // namespace stack::plan
