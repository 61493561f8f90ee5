// builder df, prune: what builds keep to be faster the next time.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/image_commands.h"
#include "cli/prune.h"
#include "cli/style.h"
#include "engine/build/room.h"
#include "engine/in_use.h"
#include "sys/terminal.h"

#include <algorithm>
#include <ctime>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

struct PruneOptions {
    Strings filters;
    std::string keep;
    bool all = false;
    bool force = false;
};

void show_cache(const Context& context, const std::string& format) {
    const image::Store store(context.paths);
    const auto holdings = build::list_holdings(context.paths);
    const auto cost = build::cost_of(store, holdings);
    std::vector<Strings> rows{{"ID", "TYPE", "LAYER", "RECLAIMABLE", "LAST USED"}};
    std::string lines;
    std::set<std::string> counted;
    std::int64_t sum = 0;
    for (const auto& [step, kind, id, kept] : holdings) {
        const std::int64_t bytes = cost(step.layer);
        const std::string layer = kept ? "" : step.layer;
        sum += counted.insert(step.layer).second ? bytes : 0;
        const std::chrono::seconds age(std::max<std::int64_t>(std::time(nullptr) - step.used, 0));
        rows.push_back({kept ? id : id.substr(0, 12),
                        kind,
                        layer.empty() ? "-" : id_text(layer, false),
                        format_bytes(bytes),
                        format_duration(age) + " ago"});
        lines += Json{{"ID", id},
                      {"Type", kind},
                      {"Layer", layer},
                      {"Reclaimable", bytes},
                      {"LastUsed", step.used}}
                     .dump(-1, ' ', false, Json::error_handler_t::replace) +
                 "\n";
    }
    sys::write_out(format == "json" ? lines
                                    : table(rows) + "Reclaimable: " + format_bytes(sum) + "\n");
}

build::CachePolicy policy_of(const PruneOptions& options) {
    build::CachePolicy policy = cache_policy(options.filters, options.all);
    if (!options.keep.empty()) {
        const auto bytes = parse_bytes(options.keep);
        if (!bytes)
            give_up("--max-used-space: " + bytes.error().message);
        policy.most_bytes = *bytes;
    }
    return policy;
}

void add_prune(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand(
        "prune",
        "Forget steps with the layers of theirs alone, cache mounts, digests and downloads");
    const auto options = std::make_shared<PruneOptions>();
    app->add_flag("-a,--all", options->all, "Also steps whose layers images have");
    app->add_flag("-f,--force", options->force, "Do not ask");
    app->add_option("--filter", options->filters, "Only what was not used for so long: until=24h")
        ->allow_extra_args(false);
    app->add_option("--max-used-space,--keep-storage",
                    options->keep,
                    "Only the longest unused, until the rest takes no more: 10GB");
    app->callback([&context, options] {
        require_root();
        if (!may_remove(options->all ? "all build cache." : "all dangling build cache.",
                        options->force)) {
            context.exit_code = 1;
            return;
        }
        const Pruned pruned = prune_build_cache(context, policy_of(*options));
        sys::write_out("Forgotten steps: " + std::to_string(pruned.removed.size()) + "\n" +
                       reclaimed_text(pruned.freed));
    });
}

}  // namespace

build::CachePolicy cache_policy(const Strings& filters, bool all) {
    build::CachePolicy policy;
    policy.all = all;
    for (const auto& filter : filters) {
        const auto [key, value] = split_once(filter, '=');
        const auto age = parse_duration(value);
        if ((key != "until" && key != "unused-for") || !age)
            give_up("--filter wants until=24h (not used for so long), not \"" + filter + "\"");
        policy.unused_for = std::chrono::duration_cast<std::chrono::seconds>(*age).count();
    }
    return policy;
}

Pruned prune_build_cache(const Context& context, const build::CachePolicy& policy) {
    const auto room = build::make_room(
        context.paths, policy, [&context] { return engine::find_in_use(context.paths); });
    Pruned pruned;
    pruned.removed = room.steps;
    pruned.freed = room.freed;
    return pruned;
}

void add_builder(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    auto* df = app.add_subcommand(
        "df", "List what builds would reuse: steps, cache mounts, digests of contexts, downloads");
    const auto format = std::make_shared<std::string>("table");
    df->add_option("--format", *format, "table or json")->check(CLI::IsMember({"table", "json"}));
    df->callback([&context, format] {
        require_root();
        show_cache(context, *format);
    });
    add_prune(app, context);
}

}  // namespace stack::cli
