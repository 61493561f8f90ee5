// What is there: the looking half of the engine.

#include "base/log.h"
#include "engine/build/build.h"
#include "engine/engine.h"
#include "engine/real_engine.h"
#include "engine/storage/volumes.h"
#include "engine/watch.h"
#include "model/images.h"

#include <algorithm>
#include <array>

#include <boost/asio/io_context.hpp>

namespace stack::engine {
namespace {

namespace asio = boost::asio;

ObservedNetwork observed(const network::NetworkRecord& record) {
    ObservedNetwork network;
    network.name = record.name;
    network.project = record.project;
    network.key = record.key;
    network.config_digest = record.config_digest;
    network.bridge = record.bridge;
    network.internal = record.internal;
    for (const auto& subnet : {record.subnet4, record.subnet6})
        if (!subnet.empty())
            network.subnets.push_back(subnet);
    return network;
}

ObservedVolume observed(const storage::VolumeRecord& record) {
    return {record.name, record.project, record.key, record.config_digest, record.anonymous};
}

template <class Map>
bool names_one(const Map& elements, const std::string& name) {
    return std::any_of(elements.begin(), elements.end(), [&](const auto& element) {
        return element.second.name == name;
    });
}

}  // namespace

std::unique_ptr<Engine> make_engine(asio::io_context& loop, const Paths& paths) {
    return std::make_unique<RealEngine>(loop, paths);
}

RealEngine::RealEngine(asio::io_context& loop, const Paths& paths)
    : loop_(loop),
      paths_(paths),
      networks_(paths),
      runtime_(paths, cgroups_, networks_),
      store_(paths) {}

RealEngine::~RealEngine() {
    if (bulk_)
        bulk_->join();  // else what it has not begun is dropped
}

void RealEngine::on_change(std::function<void()> wake) {
    wake_ = std::move(wake);
}

void RealEngine::reconcile() {
    for (const auto& id : networks_.reconcile())
        link_anew(id);
    runtime_.sweep();
    build::sweep(paths_);
}

void RealEngine::link_anew(const std::string& id) {
    try {
        runtime_.link_anew(id);
    } catch (const Error& error) {
        log::warn(std::string(error.what()) + ", trying again at the next look");
    }
}

void RealEngine::watch(const std::string& id) {
    if (watches_.contains(id))
        return;
    auto pidfd = runtime_.watch(id);
    if (!pidfd)
        return;
    watches_[id] = std::make_unique<Watch>(loop_, std::move(*pidfd), [this, id] {
        watches_.erase(id);
        // It may be on its way up again by the time its end is heard of.
        if (const auto seen = runtime_.observe(id); seen && seen->state == ContainerState::exited)
            settle(id);
        wake_();
    });
}

void RealEngine::settle(const std::string& id) {
    try {
        runtime_.settle(id);
    } catch (const Error& error) {
        log::warn("settle container " + id + ": " + error.what() +
                  ", trying again at the next look");
    }
}

namespace {

/// Where the list of images is damaged, nothing is known of them: who needs one is told when it is
/// pulled, and who only looks, or takes away, needs none.
std::optional<image::Image> find_known(const image::Store& store, const std::string& reference) {
    try {
        return store.find(reference);
    } catch (const Error& error) {
        if (error.code() != std::errc::illegal_byte_sequence)
            throw;
        log::warn(std::string(error.what()) + ", ignoring");
        return std::nullopt;
    }
}

/// What a service's image is built for is a part of what it is built from.
Build build_for(const Service& service) {
    Build build = *service.build;
    if (!service.platform.empty())
        build.platforms = {service.platform};
    return build;
}

}  // namespace

Observed RealEngine::observe(const Stack& desired, const ObserveOptions& options) {
    Observed all;
    all.containers = runtime_.observe_project(desired.name);
    for (const auto& container : all.containers)
        if (is_up(container))
            watch(container.id);
        else if (container.state == ContainerState::exited)
            settle(container.id);
    if (options.files)
        for (auto& container : all.containers)
            container.replaced_files = runtime_.replaced_files(container);
    for (const auto& record : networks_.list())
        if (record.project == desired.name || names_one(desired.networks, record.name))
            all.networks.push_back(observed(record));
    for (const auto& record : storage::list_volumes(paths_))
        if (record.project == desired.name || names_one(desired.volumes, record.name))
            all.volumes.push_back(observed(record));
    for (const auto& reference : model::images_of(desired))
        if (const auto image = find_known(store_, reference))
            all.images.push_back({reference,
                                  image->id,
                                  image->source_digest,
                                  image->created,
                                  image->named,
                                  image::platform_of(image->config)});
        else if (reference.starts_with("rootfs:"))
            all.images.push_back({reference, reference, "", {}, {}});
    if (options.builds)
        for (const auto& [name, service] : desired.services)
            if (service.build)
                all.builds.push_back({name, build::source_digest(paths_, build_for(service))});
    return all;
}

runtime::ImageView RealEngine::image_view(const std::string& reference) const {
    constexpr std::string_view plain_directory = "rootfs:";
    if (reference.starts_with(plain_directory))
        return {reference, {}, {reference.substr(plain_directory.size())}};
    const auto image = store_.find(reference);
    if (!image)
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "image " + reference +
                        " is not in the store: pull it, build it, or `stack image import` it");
    return {image->id, image->config, store_.lower_directories(*image)};
}

void RealEngine::set_health(const std::string& container_id,
                            Health health,
                            int failing_streak,
                            const HealthResult& latest) {
    runtime_.set_health(container_id, health, failing_streak, latest);
}

void RealEngine::count_restart(const std::string& container_id) {
    runtime_.count_restart(container_id);
}

std::optional<Healthcheck> RealEngine::healthcheck(const std::string& container_id) {
    return runtime_.healthcheck(container_id);
}

}  // namespace stack::engine
