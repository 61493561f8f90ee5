#include "plan/diverge.h"

#include "base/digest.h"
#include "model/digest.h"
#include "plan/resolve.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace stack::plan {
namespace {

constexpr std::size_t short_digest = 19;  // "sha256:" and twelve digits
constexpr const char* connected = "connected";

using Attachments = std::map<std::string, NetworkAttachment>;

constexpr std::string_view of_networks = "networks.";

bool is_of_networks(const FieldChange& change) {
    return change.field.starts_with(of_networks);
}

bool is_of_limits(const FieldChange& change) {
    return change.field.starts_with("resources.") || change.field.starts_with("restart.");
}

/// Interfaces come and go while a container runs, but none becomes another one under a program that
/// has its address. And the one that published ports lead to stays: the shim forwards to it what
/// the kernel cannot lead there.
bool can_rewire(const ObservedContainer& container, const Attachments& wanted) {
    const auto is_kept = [&](const auto& before) {
        const auto found = wanted.find(before.first);
        return found == wanted.end() || model::is_same_interface(before.second, found->second);
    };
    const auto leads_away = [&](const ObservedAddress& address) {
        return address.published && !wanted.contains(address.network);
    };
    const auto& networks = container.service_config->networks;
    return std::all_of(networks.begin(), networks.end(), is_kept) &&
           std::none_of(container.addresses.begin(), container.addresses.end(), leads_away);
}

FieldChange image_change(const std::string& before, const std::string& after) {
    return {"image", before.substr(0, short_digest), after.substr(0, short_digest)};
}

FieldChange coming_or_going(const std::string& network, bool comes) {
    return {"networks." + network, comes ? "" : connected, comes ? connected : ""};
}

/// For networks, which may have nothing else to be said of them: that they come or go.
void tell_networks(const Attachments& before,
                   const Attachments& after,
                   std::vector<FieldChange>& changes) {
    std::erase_if(changes, [&](const FieldChange& change) {
        const std::string name =
            is_of_networks(change) ? change.field.substr(of_networks.size()) : "";
        return before.contains(name) || after.contains(name);
    });
    for (const auto& [name, attachment] : before)
        if (!after.contains(name))
            changes.push_back(coming_or_going(name, false));
    for (const auto& [name, attachment] : after)
        if (!before.contains(name))
            changes.push_back(coming_or_going(name, true));
}

/// For a file's content, which nobody reads in a list of changes.
void shorten_profile(std::vector<FieldChange>& changes) {
    for (auto& change : changes)
        if (change.field == "seccomp_profile")
            for (auto* text : {&change.before, &change.after})
                if (!text->empty())
                    *text = ("sha256:" + sha256_hex(*text)).substr(0, short_digest);
}

/// Networks that a running container is in or not in, whatever its record says: whoever connected
/// or disconnected it died in the middle.
std::vector<FieldChange> half_done(const ObservedContainer& container) {
    std::vector<FieldChange> changes;
    if (!is_up(container))
        return changes;
    const auto& recorded = container.service_config->networks;
    std::set<std::string> live;
    for (const auto& address : container.addresses) {
        live.insert(address.network);
        if (!recorded.contains(address.network))
            changes.push_back(coming_or_going(address.network, false));
    }
    for (const auto& [name, attachment] : recorded)
        if (!live.contains(name))
            changes.push_back(coming_or_going(name, true));
    return changes;
}

void sort_by_field(std::vector<FieldChange>& changes) {
    std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) {
        return a.field < b.field;
    });
}

}  // namespace

std::optional<Divergence> divergence(const ObservedContainer& container,
                                     const ContainerSpec& spec,
                                     const std::string& image_id) {
    const bool rewirable = can_rewire(container, spec.service.networks);
    if (container.config_digest != spec.config_digest || !rewirable) {
        auto changes = model::changes(container.service_config, spec.service);
        tell_networks(container.service_config->networks, spec.service.networks, changes);
        std::erase_if(changes, [&](const FieldChange& change) {
            return is_of_limits(change) || (rewirable && is_of_networks(change));
        });
        shorten_profile(changes);
        sort_by_field(changes);
        return Divergence{
            changes.empty() ? "the content of a config or secret changed" : "configuration changed",
            std::move(changes)};
    }
    if (!container.replaced_files.empty())
        return Divergence{"file " + container.replaced_files.front() + " was replaced", {}};
    if (!image_id.empty() && container.image_id != image_id)
        return Divergence{"image changed", {image_change(container.image_id, image_id)}};
    return std::nullopt;
}

std::optional<Divergence> mounts_other_image(const ObservedContainer& container,
                                             const std::vector<ObservedImage>& images) {
    for (const auto& image : images)
        if (const auto mounted = container.mounted_images.find(image.reference);
            mounted != container.mounted_images.end() && mounted->second != image.id)
            return Divergence{"image " + image.reference + ", which it mounts, changed",
                              {image_change(mounted->second, image.id)}};
    return std::nullopt;
}

std::optional<InPlace> change_in_place(const ObservedContainer& container,
                                       const RestartPolicy& restart,
                                       const Resources& resources,
                                       const Attachments& networks) {
    const Service& before = container.service_config;
    const bool rewires = networks != before.networks && can_rewire(container, networks);
    const bool changes = restart != before.restart || resources != before.resources || rewires;
    auto undone = half_done(container);
    if (!changes && undone.empty())
        return std::nullopt;
    InPlace change{before, "", std::move(undone)};
    if (changes) {
        Service& after = change.service;
        after.restart = restart;
        after.resources = resources;
        if (rewires)
            after.networks = networks;
        auto fields = model::changes(before, after);
        tell_networks(before.networks, after.networks, fields);
        change.changes.insert(change.changes.end(), fields.begin(), fields.end());
        sort_by_field(change.changes);
    }
    if (change.changes.empty())
        return std::nullopt;
    const auto& all = change.changes;
    const bool limits = std::any_of(all.begin(), all.end(), is_of_limits);
    const bool wiring = std::any_of(all.begin(), all.end(), is_of_networks);
    change.reason = !wiring  ? "limits or restart policy changed"
                    : limits ? "networks, and limits or restart policy changed"
                             : "networks changed";
    return change;
}

}  // namespace stack::plan
