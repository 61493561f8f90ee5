// image tag, rm, prune, verify; system df and prune: what the store keeps.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/image_commands.h"
#include "cli/style.h"
#include "engine/in_use.h"
#include "engine/storage/volumes.h"
#include "sys/terminal.h"

#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

image::FindInUse in_use_of(const Context& context) {
    return [&context] { return engine::find_in_use(context.paths); };
}

std::string removal_text(const image::Removal& removal) {
    std::string lines;
    for (const auto& reference : removal.untagged)
        lines += "Untagged: " + familiar(reference) + "\n";
    for (const auto& id : removal.deleted)
        lines += "Deleted: " + id + "\n";
    return lines;
}

struct PruneOptions {
    Strings filters;
    bool all = false;
    bool force = false;
};

std::string prune_images(const Context& context, const PruneOptions& options) {
    image::Store store(context.paths);
    const ImageFilter filter(store, options.filters);
    auto removal = store.prune(
        [&](const image::Image& image) {
            return (options.all || image.references.empty()) && filter.matches(image);
        },
        in_use_of(context));
    removal.freed += store.prune_partial();
    return removal_text(removal) + "Total reclaimed space: " + format_bytes(removal.freed) + "\n";
}

/// Sums over what one object of the store is.
struct Usage {
    int count = 0;
    int active = 0;
    std::int64_t size = 0;
    std::int64_t reclaimable = 0;
};

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
        const auto record = store.layer(layer);
        const std::int64_t size = record.size + (record.packed ? record.packed->size : 0);
        usage.size += size;
        if (!needed.contains(layer))
            usage.reclaimable += size;
    }
    return usage;
}

Usage cache_usage(const image::Store& store, const image::InUse& in_use) {
    Usage usage;
    std::set<std::string> of_images;
    for (const auto& image : store.list())
        of_images.insert(image.layers.begin(), image.layers.end());
    for (const auto& layer : in_use.layers) {
        if (of_images.contains(layer) || !store.has_layer(layer))
            continue;
        ++usage.count;
        usage.size += store.layer(layer).size;
    }
    usage.reclaimable = usage.size;
    return usage;
}

void show_usage(const Context& context, const std::string& format) {
    const image::Store store(context.paths);
    const auto in_use = engine::find_in_use(context.paths);
    const std::vector<std::pair<const char*, Usage>> kinds{
        {"Images", image_usage(store, in_use)}, {"Build cache", cache_usage(store, in_use)}};
    std::vector<Strings> rows{{"TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"}};
    std::string lines;
    for (const auto& [kind, usage] : kinds) {
        rows.push_back({kind,
                        std::to_string(usage.count),
                        std::to_string(usage.active),
                        format_bytes(usage.size),
                        format_bytes(usage.reclaimable)});
        lines += Json{{"Type", kind},
                      {"TotalCount", usage.count},
                      {"Active", usage.active},
                      {"Size", usage.size},
                      {"Reclaimable", usage.reclaimable}}
                     .dump() +
                 "\n";
    }
    sys::write_out(format == "json" ? lines : table(rows));
}

void add_prune_options(CLI::App& app, PruneOptions& options) {
    app.add_flag("-a,--all", options.all, "Also images with a name that no container uses");
    app.add_flag("-f,--force", options.force, "Do not ask");
    app.add_option("--filter",
                   options.filters,
                   "Only images of which this holds: until=24h, label=NAME[=VALUE] … (repeatable)")
        ->allow_extra_args(false);
}

}  // namespace

void add_image_tag(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("tag", "Give an image another name");
    const auto source = std::make_shared<std::string>();
    const auto target = std::make_shared<std::string>();
    app->add_option("IMAGE", *source, "Name or id")->required();
    app->add_option("NAME", *target, "The new name")->required();
    app->callback([&context, source, target] {
        require_root();
        image::Store store(context.paths);
        const std::string id = require_image(store, *source).id;
        const auto told = only_sentences(context, {"tag image/" + *source + " as " + *target});
        if (told)
            context.exit_code = *told;
        else
            store.tag(id, *target);
    });
}

void add_image_rm(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("rm", "Take a name away; with the last one the image goes");
    const auto references = std::make_shared<Strings>();
    const auto force = std::make_shared<bool>(false);
    app->add_option("IMAGE", *references, "Names or ids")->required();
    app->add_flag("-f,--force",
                  *force,
                  "Take the name also from an image that a container uses; what it needs stays");
    app->callback([&context, references, force] {
        require_root();
        image::Store store(context.paths);
        Strings sentences;
        for (const auto& reference : *references) {
            const auto image = require_image(store, reference);
            sentences.push_back((image.references.size() > 1 ? "untag image/" : "remove image/") +
                                reference);
        }
        if (const auto told = only_sentences(context, sentences)) {
            context.exit_code = *told;
            return;
        }
        for (const auto& reference : *references) {
            static_cast<void>(require_image(store, reference));
            sys::write_out(removal_text(store.remove(reference, *force, in_use_of(context))));
        }
    });
}

void add_image_prune(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand(
        "prune", "Remove images without a name, broken-off pulls, and layers that nothing needs");
    const auto options = std::make_shared<PruneOptions>();
    add_prune_options(*app, *options);
    app->callback([&context, options] {
        require_root();
        const std::string what = options->all ? "all images that no container uses"
                                              : "all images that have no name and no container";
        if (options->force || confirmed("This removes " + what + ". Go on?"))
            sys::write_out(prune_images(context, *options));
    });
}

void add_image_verify(CLI::App& group, Context& context) {
    auto* app =
        group.add_subcommand("verify", "Read images again and compare every byte with its digest");
    const auto references = std::make_shared<Strings>();
    app->add_option("IMAGE", *references, "Names or ids (default: all)");
    app->callback([&context, references] {
        require_root();
        Strings chosen = *references;
        if (chosen.empty())
            for (const auto& image : image::Store(context.paths).list())
                chosen.push_back(image.id);
        if (chosen.empty())
            return;
        std::string result;
        context.exit_code = show_fetch(context,
                                       image::start_verify(context.paths, chosen),
                                       "Images",
                                       "Verifying",
                                       "Good",
                                       result);
    });
}

void add_system(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    auto* df = app.add_subcommand("df", "Show how much of the disk images and build cache take");
    const auto format = std::make_shared<std::string>("table");
    df->add_option("--format", *format, "table or json")->check(CLI::IsMember({"table", "json"}));
    df->callback([&context, format] {
        require_root();
        show_usage(context, *format);
    });
    auto* prune = app.add_subcommand(
        "prune", "Remove what nothing needs: images without a name, build cache, broken-off pulls");
    const auto options = std::make_shared<PruneOptions>();
    add_prune_options(*prune, *options);
    prune->callback([&context, options] {
        require_root();
        if (!options->force && !confirmed("This removes the build cache and " +
                                          std::string(options->all ? "all images that no container "
                                                                     "uses"
                                                                   : "images without a name") +
                                          "; containers and volumes stay. Go on?"))
            return;
        engine::clear_build_cache(context.paths);
        sys::write_out(prune_images(context, *options));
    });
}

}  // namespace stack::cli
