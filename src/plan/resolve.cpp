#include "plan/resolve.h"

#include "model/digest.h"
#include "model/images.h"
#include "model/volumes_from.h"

#include <algorithm>

namespace stack::plan {

bool is_known(const Stack& stack, const std::string& service) {
    const auto& disabled = stack.disabled_services;
    return stack.services.contains(service) ||
           std::find(disabled.begin(), disabled.end(), service) != disabled.end();
}

bool awaits_restart(const ObservedContainer& container) {
    return container.state == ContainerState::exited && !container.stopped_by_user &&
           container.service_config->restart.condition != RestartCondition::no;
}

std::string why_not_running(const ObservedContainer& container) {
    if (container.state == ContainerState::created)
        return "created, not started";
    if (container.stopped_by_user)
        return "stopped";
    return "exited (" + (container.exit.code ? std::to_string(*container.exit.code) : "unknown") +
           ")";
}

std::string container_name(const Stack& stack, const Service& service, int number) {
    if (!service.container_name.empty())
        return service.container_name;
    return stack.name + "-" + service.name + "-" + std::to_string(number);
}

std::map<std::string, NetworkAttachment> networks_of(const Stack& stack, const Service& service) {
    std::map<std::string, NetworkAttachment> networks;
    for (const auto& [key, attachment] : service.networks) {
        const auto found = stack.networks.find(key);
        networks.emplace(found == stack.networks.end() ? key : found->second.name, attachment);
    }
    return networks;
}

namespace {

/// Keys of the file to the names of the world.
void give_real_names(const Stack& stack, Service& service) {
    for (auto& mount : service.volumes) {
        const auto found = stack.volumes.find(mount.source);
        if (mount.type == MountType::volume && found != stack.volumes.end())
            mount.source = found->second.name;
        else if (mount.type == MountType::image)
            mount.source = model::mounted_image(stack, mount);
    }
    service.networks = networks_of(stack, service);
}

std::map<std::string, FileSource> sources_of(const std::vector<FileReference>& references,
                                             const std::map<std::string, FileSource>& all) {
    std::map<std::string, FileSource> sources;
    for (const auto& reference : references)
        if (const auto found = all.find(reference.source); found != all.end())
            sources.insert(*found);
    return sources;
}

}  // namespace

ContainerSpec container_spec(const Stack& stack, const Service& service, int number) {
    ContainerSpec spec;
    spec.service = service;
    give_real_names(stack, spec.service);
    spec.secrets = sources_of(service.secrets, stack.secrets);
    spec.configs = sources_of(service.configs, stack.configs);
    spec.image = model::image_of(stack, service);
    spec.project = stack.name;
    spec.config_digest = model::config_digest(spec);  // what differs between replicas is not in it
    spec.name = container_name(stack, service, number);
    spec.number = number;
    spec.working_dir = stack.working_dir;
    spec.files = stack.files;
    return spec;
}

ContainerSpec pre_start_spec(const Stack& stack,
                             const Service& service,
                             std::size_t index,
                             int number) {
    const Hook& hook = service.pre_start.at(index);
    Service own = service;
    own.entrypoint = Strings();
    own.command = hook.command;
    if (!hook.image.empty())
        own.image = hook.image;
    if (!hook.user.empty())
        own.user = hook.user;
    if (!hook.working_dir.empty())
        own.working_dir = hook.working_dir;
    for (const auto& [name, value] : hook.environment)
        own.environment[name] = value;
    own.privileged = hook.privileged;
    own.healthcheck = Healthcheck{.disabled = true};
    own.restart = {};
    own.restart_unhealthy = false;
    own.ports.clear();
    own.pre_start.clear();
    own.post_start.clear();
    own.pre_stop.clear();
    ContainerSpec spec = container_spec(stack, own, number);
    if (hook.image.empty())
        spec.image = model::image_of(stack, service);
    spec.name = (hook.per_replica ? container_name(stack, service, number)
                                  : stack.name + "-" + service.name) +
                "-pre-start-" + std::to_string(index + 1);
    spec.oneoff = true;
    return spec;
}

StopContainer stop_of(const ObservedContainer& container, std::optional<Duration> timeout) {
    StopContainer action{container.id, container.name, timeout};
    if (container.state == ContainerState::running)
        action.pre_stop = container.service_config->pre_stop;
    return action;
}

int scale_of(const Service& service, const PlanOptions& options) {
    const auto asked = options.scale.find(service.name);
    if (asked != options.scale.end())
        return asked->second;
    return service.scale.value_or(1);
}

Strings namespace_lenders(const Service& service) {
    Strings names;
    constexpr std::string_view prefix = "service:";
    for (const auto& mode : {service.network_mode, service.pid, service.ipc})
        if (mode.starts_with(prefix))
            names.push_back(mode.substr(prefix.size()));
    return names;
}

bool is_stranded(const ObservedContainer& container, const Observed& observed) {
    const auto has_ended = [&](const std::string& lender) {
        return std::none_of(observed.containers.begin(),
                            observed.containers.end(),
                            [&](const auto& other) { return other.id == lender && is_up(other); });
    };
    return is_up(container) &&
           std::any_of(container.lenders.begin(), container.lenders.end(), has_ended);
}

Strings shared_with(const Service& service) {
    Strings names = namespace_lenders(service);
    for (const auto& text : service.volumes_from)
        if (const auto from = model::parse_volumes_from(text); from && !from->is_container)
            names.push_back(from->name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

namespace {

constexpr std::string_view service_scheme = "service:";

class BuildOrder {
  public:
    explicit BuildOrder(const Stack& stack) : stack_(stack) {}

    Expected<Strings> run(const Strings& services) {
        for (const auto& name : services)
            visit(name, name);
        if (mistake_)
            return malformed(*mistake_);
        return std::move(order_);
    }

  private:
    void visit(const std::string& name, const std::string& user) {
        const auto found = stack_.services.find(name);
        if (found == stack_.services.end() || !found->second.build) {
            mistake_ = "the build of service " + user + " takes from service " + name +
                       ", which is not built by this stack: name it as in additional_contexts: "
                       "{x: service:NAME}";
            return;
        }
        const auto [state, is_first] = finished_.try_emplace(name, false);
        if (!is_first) {
            if (!state->second)
                mistake_ = "the builds of services " + user + " and " + name +
                           " need one another: take one of the contexts away";
            return;
        }
        for (const auto& source : build_sources(found->second))
            visit(source, name);
        finished_[name] = true;
        order_.push_back(name);
    }

    const Stack& stack_;
    std::map<std::string, bool> finished_;
    Strings order_;
    std::optional<std::string> mistake_;
};

}  // namespace

Strings build_sources(const Service& service) {
    Strings names;
    if (service.build)
        for (const auto& [name, source] : service.build->additional_contexts)
            if (source.starts_with(service_scheme))
                names.push_back(source.substr(service_scheme.size()));
    return names;
}

namespace {

/// Its id is its name in the stack file unless it says another.
BuildSecret resolved_secret(const BuildSecret& secret, const FileSource& source) {
    return {source.file, secret.target.empty() ? secret.source : secret.target, source.content};
}

}  // namespace

Build resolved_build(const Stack& stack, const Service& service) {
    Build build = *service.build;
    if (!service.platform.empty())
        build.platforms = {service.platform};
    for (auto& [name, source] : build.additional_contexts) {
        const auto found = source.starts_with(service_scheme)
                               ? stack.services.find(source.substr(service_scheme.size()))
                               : stack.services.end();
        if (found != stack.services.end())
            source = "docker-image://" + model::image_of(stack, found->second);
    }
    for (auto& secret : build.secrets)
        if (const auto found = stack.secrets.find(secret.source); found != stack.secrets.end())
            secret = resolved_secret(secret, found->second);
    return build;
}

Expected<Strings> build_order(const Stack& stack, const Strings& services) {
    return BuildOrder(stack).run(services);
}

}  // namespace stack::plan
