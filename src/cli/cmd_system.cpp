// system df, prune, info: all that this instance keeps, at once.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/disk_usage.h"
#include "cli/filters.h"
#include "cli/format.h"
#include "cli/image_commands.h"
#include "cli/prune.h"
#include "cli/style.h"
#include "cli/system_info.h"
#include "engine/in_use.h"
#include "sys/terminal.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

// --- df ---

std::string reclaimable_text(const Usage& usage) {
    constexpr std::int64_t all = 100;
    return format_bytes(usage.reclaimable) +
           (usage.size > 0 ? " (" + std::to_string(usage.reclaimable * all / usage.size) + "%)"
                           : "");
}

void show_usage(const Context& context, const std::string& format) {
    std::vector<Strings> rows{{"TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"}};
    std::vector<Json> objects;
    std::string lines;
    for (const auto& [kind, usage] : disk_usage(context)) {
        rows.push_back({kind,
                        std::to_string(usage.count),
                        std::to_string(usage.active),
                        format_bytes(usage.size),
                        reclaimable_text(usage)});
        const Strings& row = rows.back();
        objects.push_back({{"Type", row[0]},
                           {"TotalCount", row[1]},
                           {"Active", row[2]},
                           {"Size", row[3]},
                           {"Reclaimable", row[4]}});
        lines += objects.back().dump() + "\n";
    }
    sys::write_out(is_template(format) ? formatted(format, objects)
                   : format == "json"  ? lines
                                       : table(rows));
}

void show_all(const Context& context) {
    std::string text;
    for (const auto& section : detailed_usage(context))
        text += section.title + "\n\n" + table(section.rows) + "\n";
    sys::write_out(text);
}

void add_df(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand(
        "df", "Show what images, containers, volumes and builds take of the disk");
    const auto format = std::make_shared<std::string>("table");
    const auto verbose = std::make_shared<bool>(false);
    app->add_flag("-v,--verbose", *verbose, "One by one");
    add_format(*app, *format);
    app->callback([&context, format, verbose] {
        require_root();
        if (*verbose && *format != "table")
            give_up("--format says what the sums look like: without -v");
        if (*verbose)
            show_all(context);
        else
            show_usage(context, *format);
    });
}

// --- prune ---

struct PruneOptions {
    Strings filters;
    bool all = false;
    bool volumes = false;
    bool force = false;
};

std::string warning_text(const PruneOptions& options) {
    Strings items{"all stopped containers", "all networks not used by at least one container"};
    if (options.volumes)
        items.emplace_back("all anonymous volumes not used by at least one container");
    items.emplace_back(options.all ? "all images without at least one container associated to them"
                                   : "all dangling images");
    items.emplace_back(options.all ? "all build cache" : "unused build cache");
    std::string text = "WARNING! This will remove:\n  - " + join(items, "\n  - ") + "\n";
    if (!options.filters.empty())
        text += "\n  Items to be pruned will be filtered with:\n  - " +
                join(options.filters, "\n  - ") + "\n";
    return text + "\nAre you sure you want to continue?";
}

int prune(const Context& context, const PruneOptions& options) {
    const Filters filters(options.filters, {"until", "label", "label!"});
    if (options.volumes && filters.have("until"))
        give_up("the \"until\" filter is not supported with \"--volumes\": volumes have no age");
    const bool by_label = filters.have("label") || filters.have("label!");
    const auto policy =
        by_label ? build::CachePolicy() : cache_policy(options.filters, options.all);
    if (!options.force && !confirmed(warning_text(options)))
        return 1;
    std::int64_t freed = 0;
    int status = 0;
    const auto tell = [&](const char* kind, const Pruned& pruned) {
        sys::write_out(pruned_text(kind, pruned));
        freed += pruned.freed;
        status = std::max(status, pruned.status);
    };
    tell("Containers", prune_containers(context, options.filters));
    tell("Networks", prune_networks(context, options.filters));
    if (options.volumes)
        tell("Volumes", prune_volumes(context, options.filters, false));
    if (options.filters.empty())
        engine::clear_build_cache(context.paths);  // its layers go with the images
    else if (!by_label)                            // what builds keep has none
        freed += prune_build_cache(context, policy).freed;
    tell("Images", prune_images(context, options.filters, options.all));
    sys::write_out(reclaimed_text(freed));
    return status;
}

void add_prune(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("prune",
                                     "Remove what nothing needs: stopped containers, networks, "
                                     "images without a name, build cache");
    const auto options = std::make_shared<PruneOptions>();
    app->add_flag("-a,--all", options->all, "Also images with a name that no container uses");
    app->add_flag("--volumes", options->volumes, "Also anonymous volumes that no container has");
    app->add_flag("-f,--force", options->force, "Do not ask");
    app->add_option("--filter",
                    options->filters,
                    "Only what has until=24h, label=NAME[=VALUE] or label!=NAME (repeatable)")
        ->allow_extra_args(false);
    app->callback([&context, options] {
        require_root();
        context.exit_code = prune(context, *options);
    });
}

// --- info ---

void add_info(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("info", "Show what this instance and this machine are");
    const auto format = std::make_shared<std::string>();
    add_format(*app, *format, {"json"}, "-f,--format");
    app->callback([&context, format] {
        require_root();
        const Json info = system_info(context);
        if (format->empty())
            sys::write_out(info_text(info));
        else if (is_template(*format))
            sys::write_out(formatted(*format, {info}));
        else
            sys::write_out(info.dump() + "\n");
    });
}

}  // namespace

void add_system(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    add_df(app, context);
    add_prune(app, context);
    add_info(app, context);
}

}  // namespace stack::cli
