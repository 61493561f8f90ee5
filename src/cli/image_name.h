#pragma once

// What lists call the images that containers were made of.

#include <stack/observed.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stack::image {
class Store;
}

namespace stack::cli {

/// The id of the image that a name is now; nullopt: it is nobody's.
using FindImageId = std::function<std::optional<std::string>(const std::string& reference)>;

/// Docker: one whose image has lost the name that it was made by, to a newer one or to nobody, is
/// of an image without a name. It is called by its short id then, also for filters.
void forget_lost_names(std::vector<ObservedContainer>& containers, const FindImageId& find_id);
void forget_lost_names(std::vector<ObservedContainer>& containers, const image::Store& store);

}  // namespace stack::cli
