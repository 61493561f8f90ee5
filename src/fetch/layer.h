#pragma once

// One layer in one pass: packed bytes in, a published directory out.

#include "engine/image/store.h"

#include <functional>
#include <string>
#include <string_view>

namespace stack::fetch {

/// Calls its argument with the packed bytes, piece by piece, to their end.
using Producer = std::function<void(const std::function<bool(std::string_view)>&)>;

/// Unpacks, checks and publishes a layer. Unpacking runs beside the download, with a bounded queue
/// between. `expected_diff_id` may be empty: then any content is taken. Returns the diffID.
std::string import_layer(image::Store& store,
                         const Producer& produce,
                         const std::string& expected_diff_id);

}  // namespace stack::fetch
