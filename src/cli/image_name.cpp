#include "cli/image_name.h"

#include <stack/error.h>

#include "cli/context.h"
#include "cli/image_commands.h"
#include "engine/image/store.h"

#include <map>

namespace stack::cli {

void forget_lost_names(std::vector<ObservedContainer>& containers, const FindImageId& find_id) {
    std::map<std::string, std::optional<std::string>> known;
    for (auto& container : containers) {
        if (!container.image_id.starts_with("sha256:"))
            continue;  // a plain directory: there is no other
        auto found = known.find(container.image);
        if (found == known.end())
            found = known.emplace(container.image, find_id(container.image)).first;
        if (found->second != container.image_id)
            container.image = id_text(container.image_id, false);
    }
}

void forget_lost_names(std::vector<ObservedContainer>& containers, const image::Store& store) {
    try {
        forget_lost_names(containers, [&](const std::string& reference) {
            const auto image = find_image(store, reference);
            return image ? std::optional(image->id) : std::nullopt;
        });
    } catch (const Error& error) {
        if (error.code() != std::errc::illegal_byte_sequence)
            throw;
        warn(error.what());  // the list of images is damaged: they are called as they were
    }
}

}  // namespace stack::cli
