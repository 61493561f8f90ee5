#include "cli/disk_usage.h"

#include "base/units.h"
#include "cli/container_size.h"
#include "cli/describe.h"
#include "cli/image_commands.h"
#include "cli/target.h"
#include "engine/in_use.h"
#include "engine/storage/volumes.h"

#include <algorithm>
#include <map>
#include <set>

namespace stack::cli {
namespace {

std::int64_t disk_size(const image::LayerRecord& record) {
    return record.size + (record.packed ? record.packed->size : 0);
}

/// Sums over layers: what several images have is there once.
Usage image_usage(const image::Store& store, const image::InUse& in_use) {
    Usage usage;
    std::set<std::string> all;
    std::set<std::string> needed;
    for (const auto& image : store.list()) {
        const bool active = in_use.images.contains(image.id);
        ++usage.count;
        usage.active += active ? 1 : 0;
        all.insert(image.layers.begin(), image.layers.end());
        if (active)
            needed.insert(image.layers.begin(), image.layers.end());
    }
    for (const auto& layer : all) {
        const std::int64_t size = disk_size(store.layer(layer));
        usage.size += size;
        if (!needed.contains(layer))
            usage.reclaimable += size;
    }
    return usage;
}

/// The layers of steps that no image has.
std::map<std::string, std::int64_t> cached_layers(const image::Store& store,
                                                  const image::InUse& in_use) {
    std::set<std::string> of_images;
    for (const auto& image : store.list())
        of_images.insert(image.layers.begin(), image.layers.end());
    std::map<std::string, std::int64_t> sizes;
    for (const auto& layer : in_use.layers)
        if (!of_images.contains(layer) && store.has_layer(layer))
            sizes[layer] = store.layer(layer).size;
    return sizes;
}

Usage cache_usage(const image::Store& store, const image::InUse& in_use) {
    Usage usage;
    for (const auto& [layer, size] : cached_layers(store, in_use)) {
        ++usage.count;
        usage.size += size;
    }
    usage.reclaimable = usage.size;
    return usage;
}

Usage container_usage(const Context& context, const std::vector<ObservedContainer>& containers) {
    Usage usage;
    for (const auto& container : containers) {
        const std::int64_t size = size_of(context.paths, container).written;
        ++usage.count;
        usage.active += is_up(container) ? 1 : 0;
        usage.size += size;
        usage.reclaimable += is_up(container) ? 0 : size;
    }
    return usage;
}

/// How many containers have each volume.
std::map<std::string, int> volume_links(const std::vector<ObservedContainer>& containers) {
    std::map<std::string, int> links;
    for (const auto& container : containers) {
        std::set<std::string> own;
        for (const auto& mount : container.mounts)
            if (mount.type == MountType::volume)
                own.insert(mount.source);
        for (const auto& name : own)
            ++links[name];
    }
    return links;
}

Usage volume_usage(const Context& context, const std::vector<ObservedContainer>& containers) {
    const auto links = volume_links(containers);
    Usage usage;
    for (const auto& volume : storage::list_volumes(context.paths)) {
        const std::int64_t size = volume_size(context.paths, volume.name);
        const bool active = links.contains(volume.name);
        ++usage.count;
        usage.active += active ? 1 : 0;
        usage.size += size;
        usage.reclaimable += active ? 0 : size;
    }
    return usage;
}

std::string age_text(Time created, Time now) {
    return format_age(std::chrono::duration_cast<std::chrono::seconds>(now - created)) + " ago";
}

UsageSection image_section(const image::Store& store,
                           const std::vector<ObservedContainer>& containers,
                           Time now) {
    UsageSection section{"Images space usage:",
                         {{"REPOSITORY",
                           "TAG",
                           "IMAGE ID",
                           "CREATED",
                           "SIZE",
                           "SHARED SIZE",
                           "UNIQUE SIZE",
                           "CONTAINERS"}}};
    const auto images = store.list();
    std::map<std::string, int> owners;
    for (const auto& image : images)
        for (const auto& layer : std::set<std::string>(image.layers.begin(), image.layers.end()))
            ++owners[layer];
    for (const auto& image : images) {
        std::int64_t shared = 0;
        std::int64_t own = 0;
        for (const auto& layer : std::set<std::string>(image.layers.begin(), image.layers.end()))
            (owners[layer] > 1 ? shared : own) += disk_size(store.layer(layer));
        const auto users =
            std::count_if(containers.begin(), containers.end(), [&](const auto& container) {
                return container.image_id == image.id;
            });
        const RepositoryAndTag name =  // docker shows the first, too
            image.references.empty() ? RepositoryAndTag{"<none>", "<none>"}
                                     : repository_and_tag(familiar(image.references.front()));
        section.rows.push_back({name.repository,
                                name.tag,
                                id_text(image.id, false),
                                age_text(image.created, now),
                                format_bytes(shared + own),
                                format_bytes(shared),
                                format_bytes(own),
                                std::to_string(users)});
    }
    return section;
}

UsageSection container_section(const Context& context,
                               const std::vector<ObservedContainer>& containers,
                               Time now) {
    UsageSection section{"Containers space usage:",
                         {{"CONTAINER ID",
                           "IMAGE",
                           "COMMAND",
                           "LOCAL VOLUMES",
                           "SIZE",
                           "CREATED",
                           "STATUS",
                           "NAMES"}}};
    for (const auto& container : containers) {
        const auto volumes =
            std::count_if(container.mounts.begin(), container.mounts.end(), [](const auto& mount) {
                return mount.type == MountType::volume;
            });
        section.rows.push_back({id_text(container.id, false),
                                container.image,
                                command_text(container, false),
                                std::to_string(volumes),
                                format_bytes(size_of(context.paths, container).written),
                                age_text(container.created, now),
                                status_text(container, now),
                                container.name});
    }
    return section;
}

UsageSection volume_section(const Context& context,
                            const std::vector<ObservedContainer>& containers) {
    UsageSection section{"Local Volumes space usage:", {{"VOLUME NAME", "LINKS", "SIZE"}}};
    auto links = volume_links(containers);
    for (const auto& volume : storage::list_volumes(context.paths))
        section.rows.push_back({volume.name,
                                std::to_string(links[volume.name]),
                                format_bytes(volume_size(context.paths, volume.name))});
    return section;
}

UsageSection cache_section(const image::Store& store, const image::InUse& in_use) {
    UsageSection section{"Build cache usage: " + format_bytes(cache_usage(store, in_use).size) +
                             " (`stack builder df` tells of its steps)",
                         {{"LAYER", "SIZE"}}};
    for (const auto& [layer, size] : cached_layers(store, in_use))
        section.rows.push_back({id_text(layer, false), format_bytes(size)});
    return section;
}

}  // namespace

std::vector<std::pair<std::string, Usage>> disk_usage(const Context& context) {
    const image::Store store(context.paths);
    const auto in_use = engine::find_in_use(context.paths);
    const auto containers = all_containers(context);
    return {{"Images", image_usage(store, in_use)},
            {"Containers", container_usage(context, containers)},
            {"Local Volumes", volume_usage(context, containers)},
            {"Build Cache", cache_usage(store, in_use)}};
}

std::vector<UsageSection> detailed_usage(const Context& context) {
    const image::Store store(context.paths);
    const auto containers = all_containers(context);
    const Time now = std::chrono::system_clock::now();
    return {image_section(store, containers, now),
            container_section(context, containers, now),
            volume_section(context, containers),
            cache_section(store, engine::find_in_use(context.paths))};
}

}  // namespace stack::cli
