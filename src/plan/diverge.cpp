#include "plan/diverge.h"

#include "model/digest.h"

namespace stack::plan {
namespace {

constexpr std::size_t short_digest = 19;  // "sha256:" and twelve digits

bool changes_while_running(const std::string& field) {
    return field.starts_with("resources.") || field.starts_with("restart.");
}

}  // namespace

std::optional<Divergence> divergence(const ObservedContainer& container,
                                     const ContainerSpec& spec,
                                     const std::string& image_id) {
    if (container.config_digest != spec.config_digest) {
        auto changes = model::changes(container.service_config, spec.service);
        std::erase_if(
            changes, [](const FieldChange& change) { return changes_while_running(change.field); });
        return Divergence{"configuration changed", std::move(changes)};
    }
    if (!image_id.empty() && container.image_id != image_id)
        return Divergence{"image changed",
                          {{"image",
                            container.image_id.substr(0, short_digest),
                            image_id.substr(0, short_digest)}}};
    return std::nullopt;
}

std::vector<FieldChange> changes_in_place(const ObservedContainer& container,
                                          const Service& service) {
    if (container.service_config.resources == service.resources &&
        container.service_config.restart == service.restart)
        return {};
    auto changes = model::changes(container.service_config, service);
    std::erase_if(changes,
                  [](const FieldChange& change) { return !changes_while_running(change.field); });
    return changes;
}

}  // namespace stack::plan
