#include "cli/container_size.h"

#include "base/units.h"
#include "cli/local_runtime.h"
#include "engine/image/store.h"
#include "engine/storage/volumes.h"
#include "sys/file.h"
#include "sys/tree.h"

namespace stack::cli {

ContainerSize size_of(const Paths& paths, const ObservedContainer& container) {
    const LocalRuntime runtime(paths);
    ContainerSize size;
    const std::string upper = runtime.get().upper_directory(container.id);
    if (sys::exists(upper))
        size.written = sys::tree_size(sys::open_directory(upper));
    if (const auto image = image::Store(paths).find(container.image_id))
        size.image = image->size;
    return size;
}

std::string size_text(const ContainerSize& size) {
    return format_bytes(size.written) + " (virtual " + format_bytes(size.written + size.image) +
           ")";
}

std::int64_t volume_size(const Paths& paths, const std::string& name) {
    if (!storage::find_volume(paths, name))
        return 0;
    return sys::tree_size(sys::open_directory(storage::volume_directory(paths, name)));
}

}  // namespace stack::cli
