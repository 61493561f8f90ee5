#include "cli/stack_images.h"

#include <stack/error.h>

#include "cli/progress.h"
#include "engine/image/store.h"
#include "engine/in_use.h"
#include "sys/terminal.h"

#include <algorithm>
#include <set>

namespace stack::cli {

Strings stack_images(const Stack& stack,
                     const Observed& observed,
                     const Strings& services,
                     bool local) {
    std::set<std::string> references;
    const auto add = [&](const Service& service) {
        const bool chosen =
            services.empty() ||
            std::find(services.begin(), services.end(), service.name) != services.end();
        if (chosen && (service.image.empty() || !local))
            references.insert(service.image.empty() ? stack.name + "-" + service.name
                                                    : service.image);
    };
    for (const auto& [name, service] : stack.services)
        add(service);
    for (const auto& container : observed.containers)
        if (container.project == stack.name)
            add(container.service_config);
    return {references.begin(), references.end()};
}

void remove_images(const Context& context, const Strings& references) {
    image::Store store(context.paths);
    const auto progress = make_progress(context.globals, "Removing");
    const auto in_use = [&] { return engine::find_in_use(context.paths); };
    for (const auto& reference : references) {
        const std::string id = "Image " + reference;
        if (!store.find(reference))
            continue;
        progress->show({.id = id, .text = "Removing"});
        try {
            static_cast<void>(store.remove(reference, false, in_use));
            progress->show({.id = id, .status = EventStatus::done, .text = "Removed"});
        } catch (const Error& refused) {  // somebody else's container has it: no failure of ours
            progress->show({.id = id,
                            .status = EventStatus::warning,
                            .text = "Resource is still in use",
                            .detail = refused.what()});
        }
    }
    progress->finish();
}

int tell_removal(const Context& context, const Strings& references) {
    const image::Store store(context.paths);
    constexpr int changes = 2;
    int status = 0;
    for (const auto& reference : references)
        if (store.find(reference)) {
            sys::write_out("remove image/" + reference + ": down with images\n");
            status = changes;
        }
    return status;
}

}  // namespace stack::cli
