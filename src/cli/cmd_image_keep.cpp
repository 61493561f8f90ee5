// image tag, rm, prune, verify: what the store keeps.

#include "cli/cli11.h"
#include "cli/dry_run.h"
#include "cli/image_commands.h"
#include "cli/prune.h"
#include "engine/image/reference.h"
#include "engine/in_use.h"
#include "sys/terminal.h"

#include <algorithm>

namespace stack::cli {
namespace {

image::FindInUse in_use_of(const Context& context) {
    return [&context] { return engine::find_in_use(context.paths); };
}

Strings removal_lines(const image::Removal& removal) {
    Strings lines;
    for (const auto& reference : removal.untagged)
        lines.push_back("Untagged: " + familiar(reference));
    for (const auto& id : removal.deleted)
        lines.push_back("Deleted: " + id);
    return lines;
}

/// Whether it is the name of one that cannot be read.
bool is_damaged(const image::Store& store, const std::string& reference) {
    const auto parsed = image::parse_reference(reference);
    const Strings damaged = store.damaged();
    const std::string name = parsed ? image::canonical(*parsed) : "";
    return std::any_of(damaged.begin(), damaged.end(), [&](const std::string& one) {
        return one == name || one == reference;
    });
}

struct PruneOptions {
    Strings filters;
    bool all = false;
    bool force = false;
};

}  // namespace

Pruned prune_images(const Context& context, const Strings& filters, bool all) {
    image::Store store(context.paths);
    const ImageFilter filter(store, filters);
    const auto removal = store.prune(
        [&](const image::Image& image) {
            return (all || image.references.empty()) && filter.matches(image);
        },
        in_use_of(context));
    Pruned pruned;
    pruned.removed = removal_lines(removal);
    pruned.freed = removal.freed + store.prune_partial();
    return pruned;
}

void add_image_tag(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("tag", "Give an image another name");
    const auto source = std::make_shared<std::string>();
    const auto target = std::make_shared<std::string>();
    app->add_option("IMAGE", *source, "Name or id")->required();
    app->add_option("NAME", *target, "The new name")->required();
    app->callback([&context, source, target] {
        require_root();
        image::Store store(context.paths);
        const std::string digest = require_image(store, *source).manifest_digest;
        if (const auto name = image::parse_reference(*target); name && !image::is_name(*name))
            give_up(*target + " is a digest's: only an image's content can give it that name");
        const auto told = only_sentences(context, {"tag image/" + *source + " as " + *target});
        if (told)
            context.exit_code = *told;
        else
            store.tag(digest, *target);
    });
}

void add_image_rm(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("rm", "Take a name away; with the last one the image goes")
                    ->alias("remove");
    const auto references = std::make_shared<Strings>();
    const auto force = std::make_shared<bool>(false);
    app->add_option("IMAGE", *references, "Names or ids")->required();
    app->add_flag("-f,--force",
                  *force,
                  "Take the name also from an image that a container uses; what it needs stays");
    app->add_flag_callback(
        "--no-prune", [] {}, "Is so anyway: no image has a parent here that would go, too");
    app->callback([&context, references, force] {
        require_root();
        image::Store store(context.paths);
        Strings sentences;
        Strings there;
        for (const auto& reference : *references) {
            const auto image = find_image(store, reference);
            if (!image && !is_damaged(store, reference)) {
                sys::write_err("stack: no such image: " + reference + " (see `stack image ls`)\n");
                context.exit_code = *force ? 0 : 1;
                continue;
            }
            there.push_back(image && !store.find(reference) ? image->id : reference);
            const bool untags = image && image->references.size() > 1;
            sentences.push_back((untags ? "untag image/" : "remove image/") + reference);
        }
        if (const auto told = only_sentences(context, sentences)) {
            context.exit_code = std::max(context.exit_code, *told);
            return;
        }
        for (const auto& reference : there)
            for (const auto& line :
                 removal_lines(store.remove(reference, *force, in_use_of(context))))
                sys::write_out(line + "\n");
    });
}

void add_image_prune(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand(
        "prune", "Remove images without a name, broken-off pulls, and layers that nothing needs");
    const auto options = std::make_shared<PruneOptions>();
    app->add_flag("-a,--all", options->all, "Also images with a name that no container uses");
    app->add_flag("-f,--force", options->force, "Do not ask");
    app->add_option("--filter",
                    options->filters,
                    "Only those with until=24h, label=NAME[=VALUE], label!=NAME … (repeatable)")
        ->allow_extra_args(false);
    app->callback([&context, options] {
        require_root();
        const std::string what =
            options->all ? "all images without at least one container associated to them."
                         : "all dangling images.";
        if (!may_remove(what, options->force)) {
            context.exit_code = 1;
            return;
        }
        const Pruned pruned = prune_images(context, options->filters, options->all);
        sys::write_out(pruned_text("Images", pruned) + reclaimed_text(pruned.freed));
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
        const Strings damaged = chosen.empty() ? image::Store(context.paths).damaged() : Strings();
        for (const auto& name : damaged)
            warn("image " + familiar(name) +
                 ": its manifest or configuration is missing or damaged; pull it again, or `stack "
                 "image rm` it");
        context.exit_code = damaged.empty() ? 0 : 1;
        if (chosen.empty())
            for (const auto& image : image::Store(context.paths).list())
                chosen.push_back(image.id);
        if (chosen.empty())
            return;
        std::string result;
        const int status = show_fetch(context,
                                      image::start_verify(context.paths, chosen),
                                      "Images",
                                      "Verifying",
                                      "Good",
                                      result);
        context.exit_code = std::max(context.exit_code, status);
    });
}

}  // namespace stack::cli
