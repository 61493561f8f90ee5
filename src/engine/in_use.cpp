#include "engine/in_use.h"

#include "engine/build/cache.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"

namespace stack::engine {

image::InUse find_in_use(const Paths& paths) {
    const cgroup::Cgroups cgroups;
    network::Networks networks(paths);
    const runtime::Runtime runtime(paths, cgroups, networks);
    image::InUse in_use;
    for (const auto& id : runtime.list()) {
        const auto container = runtime.find(id);
        if (!container)
            continue;
        const auto keep = [&](const std::string& image, const Strings& lowers) {
            in_use.images.emplace(image, container->spec.name);
            // <images>/layers/<hex>/fs. What a layer inherits is kept by the layers alone: the
            // name of its directory is none of them.
            for (const auto& lower : lowers)
                in_use.layers.insert("sha256:" + sys::file_name(sys::parent_path(lower)));
        };
        keep(container->image.id, container->image.lowers);
        for (const auto& [source, mounted] : container->mounted)
            keep(mounted.id, mounted.lowers);
    }
    in_use.layers.merge(build::StepCache(paths).layers());
    return in_use;
}

void clear_build_cache(const Paths& paths) {
    build::StepCache(paths).clear();
}

}  // namespace stack::engine
