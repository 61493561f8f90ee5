#pragma once

// Which images the services of a stack name, and by which references.

#include <stack/model.h>

#include <set>
#include <string>

namespace stack::model {

/// The reference that a service's containers are made from: its image, or `<stack>-<service>` for a
/// build.
[[nodiscard]] std::string image_of(const Stack& stack, const Service& service);

/// The reference that a mount of type image means: where its source is the name of a service, that
/// one's image.
[[nodiscard]] std::string mounted_image(const Stack& stack, const Mount& mount);

/// All that containers of the stack are made from or mount.
[[nodiscard]] std::set<std::string> images_of(const Stack& stack);

}  // namespace stack::model
