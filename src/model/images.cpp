#include "model/images.h"

namespace stack::model {

std::string image_of(const Stack& stack, const Service& service) {
    return service.image.empty() ? stack.name + "-" + service.name : service.image;
}

std::string mounted_image(const Stack& stack, const Mount& mount) {
    const auto service = stack.services.find(mount.source);
    return service == stack.services.end() ? mount.source : image_of(stack, service->second);
}

std::set<std::string> images_of(const Stack& stack) {
    std::set<std::string> references;
    for (const auto& [name, service] : stack.services) {
        references.insert(image_of(stack, service));
        for (const auto& mount : service.volumes)
            if (mount.type == MountType::image)
                references.insert(mounted_image(stack, mount));
        for (const auto& hook : service.pre_start)
            if (!hook.image.empty())
                references.insert(hook.image);
    }
    return references;
}

}  // namespace stack::model
