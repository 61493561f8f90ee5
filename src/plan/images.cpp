#include "plan/images.h"

#include "base/units.h"
#include "model/images.h"
#include "model/platform.h"
#include "model/source_digest.h"
#include "plan/resolve.h"

#include <chrono>
#include <string_view>

namespace stack::plan {
namespace {

/// How old an image may become before a newer one is looked for; nullopt: as old as it likes.
std::optional<Duration> refresh_period(const std::string& policy) {
    constexpr std::chrono::hours day{24};
    constexpr std::string_view every = "every_";
    if (policy == "daily")
        return day;
    if (policy == "weekly")
        return 7 * day;
    if (!policy.starts_with(every))
        return std::nullopt;
    const auto period = parse_duration(std::string_view(policy).substr(every.size()));
    return period ? std::optional<Duration>(*period) : std::nullopt;
}

/// Whether the image is for another platform than the service.
bool is_foreign(const ObservedImage& image, const Service& service) {
    return !model::fits_platform(image.platform, service.platform);
}

std::string why_foreign(const ObservedImage& image, const Service& service) {
    return "the one that is here is for " + image.platform + ", not for " + service.platform;
}

}  // namespace

void Images::plan(const Strings& services) {
    refuse_two_platforms(services);
    for (const bool built : {true, false})
        for (const auto& name : services)
            if (static_cast<bool>(desired_.services.at(name).build) == built)
                plan_service(name);
    for (const auto& name : services)
        plan_mounted(desired_.services.at(name));
}

void Images::refuse_two_platforms(const Strings& services) {
    std::map<std::string, const Service*> known;
    for (const auto& name : services) {
        const Service& service = desired_.services.at(name);
        if (service.platform.empty())
            continue;
        const std::string reference = model::image_of(desired_, service);
        const Service& first = *known.emplace(reference, &service).first->second;
        if (!model::fits_platform(first.platform, service.platform))
            builder_.refuse("services " + first.name + " and " + name + " want image " + reference +
                            " for " + first.platform + " and for " + service.platform +
                            ", and one name can be but one of them: name each by its digest");
    }
}

const ObservedImage* Images::present(const std::string& reference) const {
    for (const auto& candidate : observed_.images)
        if (candidate.reference == reference)
            return &candidate;
    return nullptr;
}

std::optional<Node> Images::need(const std::string& reference, const Service& service) {
    if (const auto made = nodes_.find(reference); made != nodes_.end())
        return made->second;
    if (present(reference))
        return std::nullopt;
    if (pull_policy(service) == "never") {
        const bool asked = options_.pull == "never";
        builder_.refuse("image " + reference + ", which service " + service.name +
                        " needs, is not in the store, and " +
                        (asked ? "--pull never forbids to fetch it"
                               : "the service's pull_policy is never: pull it with `stack image "
                                 "pull`"));
        return std::nullopt;
    }
    nodes_[reference] = builder_.add(
        PullImage{reference, service.platform, false}, "image/" + reference, "not found");
    return nodes_[reference];
}

/// What another service makes or pulls is that service's to say.
void Images::plan_mounted(const Service& service) {
    auto& nodes = mounted_[service.name];
    nodes.clear();
    for (const auto& mount : service.volumes) {
        if (mount.type != MountType::image)
            continue;
        const bool is_of_service = desired_.services.contains(mount.source);
        if (is_of_service)
            plan_service(mount.source);
        if (const auto made = is_of_service ? node(mount.source) : need(mount.source, service))
            nodes.push_back(*made);
    }
}

void Images::order_mounted(const Service& service, Node user) {
    builder_.order_all(mounted_[service.name], user);
}

void Images::order(const Service& service, Node user) {
    if (const auto image = node(service.name))
        builder_.order(*image, user);
    order_mounted(service, user);
}

std::optional<Divergence> Images::why_mount_anew(const ObservedContainer& container,
                                                 const Service& service) const {
    for (const auto& mount : service.volumes)
        if (mount.type == MountType::image && is_built(mount.source))
            return Divergence{"image " + model::mounted_image(desired_, mount) +
                                  ", which it mounts, is built anew",
                              {}};
    return mounts_other_image(container, observed_.images);
}

std::optional<Node> Images::node(const std::string& service) const {
    const auto planned = services_.find(service);
    return planned == services_.end() ? std::nullopt : planned->second.node;
}

bool Images::is_built(const std::string& service) const {
    const auto planned = services_.find(service);
    return planned != services_.end() && planned->second.changes;
}

const std::string& Images::pull_policy(const Service& service) const {
    const bool overridden = !options_.pull.empty() && options_.pull != "policy";
    return overridden ? options_.pull : service.pull_policy;
}

/// Empty: what is there serves.
std::string Images::why_pull(const std::string& policy,
                             const Service& service,
                             const ObservedImage* present) const {
    constexpr const char* purpose = "to look for a newer one, which is then used";
    if (!present)
        return "not found";
    if (is_foreign(*present, service))
        return why_foreign(*present, service);
    if (policy == "always")
        return purpose;
    const auto period = refresh_period(policy);
    if (!period)
        return {};
    if (present->named == Time{})
        return std::string("nobody knows since when it is here: ") + purpose;
    const auto age = std::chrono::floor<std::chrono::seconds>(options_.now - present->named);
    if (age < *period)
        return {};
    return "pulled " + format_age(age) + " ago: " + purpose;
}

std::string Images::source_digest(const std::string& service) const {
    for (const auto& build : observed_.builds)
        if (build.service == service)
            return build.source_digest;
    return {};
}

void Images::plan_service(const std::string& name) {
    const Service& service = desired_.services.at(name);
    const std::string reference = model::image_of(desired_, service);
    const ObservedImage* image = present(reference);
    if (const auto made = nodes_.find(reference); made != nodes_.end() && !service.build) {
        services_[name] = {made->second, image != nullptr && builds_.contains(reference)};
        return;
    }
    if (service.build && wants_build(service, image))
        plan_build(service, reference, image);
    else if (!service.image.empty() && !service.image.starts_with("rootfs:"))
        plan_pull(service, reference, image);
    else if (!image && service.build)
        builder_.refuse("image " + reference + " of service " + name +
                        " is missing and --no-build forbids its build");
}

bool Images::wants_build(const Service& service, const ObservedImage* present) {
    if (options_.no_build)
        return false;
    const std::string current = source_digest(service.name);
    const bool stale = present && !current.empty() && present->source_digest != current;
    const bool is_same = present && !current.empty() && present->source_digest == current;
    if (!present || (is_foreign(*present, service) && !is_same))
        return true;
    if (is_foreign(*present, service))
        builder_.warn("image " + present->reference + " of service " + service.name + " is for " +
                      present->platform + ", not for " + service.platform +
                      ", as what it is built from is");
    if (options_.build || service.pull_policy == "build")
        return stale || !model::tells_content(current) || service.build->no_cache ||
               !service.build->no_cache_filter.empty() || service.build->pull ||
               takes_from_what_is_built(service);
    if (stale && !present->source_digest.empty())
        builder_.warn("image " + present->reference + " of service " + service.name +
                      " was built from other sources than are there now: `--build` builds it "
                      "again");
    return false;
}

/// Also where none can come first: the build is refused with that, then.
bool Images::takes_from_what_is_built(const Service& service) {
    if (!build_order(desired_, {service.name}))
        return true;
    bool takes = false;
    for (const auto& source : build_sources(service)) {
        plan_service(source);
        takes = takes || node(source);
    }
    return takes;
}

void Images::plan_build(const Service& service,
                        const std::string& reference,
                        const ObservedImage* present) {
    auto& planned = services_[service.name];
    planned.changes = present != nullptr;
    if (const auto shared = nodes_.find(reference); shared != nodes_.end()) {
        planned.node = shared->second;
        return;
    }
    if (const auto order = build_order(desired_, {service.name}); !order) {
        builder_.refuse(order.error().message);
        return;
    }
    for (const auto& source : build_sources(service))
        plan_service(source);
    BuildImage action;
    action.service = service.name;
    action.tag = reference;
    action.build = resolved_build(desired_, service);
    if (action.build->platforms.size() > 1)
        action.build->platforms.clear();  // what runs here is for this machine
    action.source_digest = source_digest(service.name);
    action.no_cache = service.build->no_cache;
    action.pull = service.build->pull;
    const bool foreign = present && is_foreign(*present, service);
    const std::string reason = foreign   ? why_foreign(*present, service)
                               : present ? "its sources changed"
                                         : "not found";
    builds_.insert(reference);
    planned.node = nodes_[reference] = builder_.add(action, "image/" + reference, reason);
    for (const auto& source : build_sources(service))
        if (const auto made = node(source))
            builder_.order(*made, *planned.node);
}

void Images::plan_pull(const Service& service,
                       const std::string& reference,
                       const ObservedImage* present) {
    const std::string& policy = pull_policy(service);
    const std::string reason = why_pull(policy, service, present);
    if (reason.empty())
        return;
    if (policy == "never") {  // what is there does not serve
        builder_.refuse("image " + reference + " of service " + service.name +
                        " is not in the store" +
                        (present ? " for " + service.platform + " (" + reason + ")" : "") +
                        ", and its pull_policy is never: pull it with `stack pull`");
        return;
    }
    services_[service.name].node = nodes_[reference] =
        builder_.add(PullImage{reference, service.platform, false}, "image/" + reference, reason);
}

}  // namespace stack::plan
