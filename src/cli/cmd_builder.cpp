// builder df, prune: what builds keep to be faster the next time.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/image_commands.h"
#include "cli/style.h"
#include "engine/build/cache_policy.h"
#include "engine/build/downloads.h"
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
    const auto cost = build::cost_in(store);
    auto steps = build::StepCache(context.paths).steps();
    std::sort(
        steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.used > b.used; });
    std::vector<Strings> rows{{"ID", "LAYER", "RECLAIMABLE", "LAST USED"}};
    std::string lines;
    std::set<std::string> counted;
    std::int64_t sum = 0;
    for (const auto& step : steps) {
        const std::int64_t bytes = cost(step.layer);
        sum += counted.insert(step.layer).second ? bytes : 0;
        const std::chrono::seconds age(std::max<std::int64_t>(std::time(nullptr) - step.used, 0));
        rows.push_back({step.key.substr(0, 12),
                        step.layer.empty() ? "-" : id_text(step.layer, false),
                        format_bytes(bytes),
                        format_duration(age) + " ago"});
        lines += Json{{"ID", step.key},
                      {"Layer", step.layer},
                      {"Reclaimable", bytes},
                      {"LastUsed", step.used}}
                     .dump() +
                 "\n";
    }
    sys::write_out(format == "json" ? lines
                                    : table(rows) + "Reclaimable: " + format_bytes(sum) + "\n");
}

build::CachePolicy policy_of(const PruneOptions& options) {
    build::CachePolicy policy;
    policy.all = options.all;
    for (const auto& filter : options.filters) {
        const auto [key, value] = split_once(filter, '=');
        const auto age = parse_duration(value);
        if ((key != "until" && key != "unused-for") || !age)
            give_up("--filter wants until=24h (not used for so long), not \"" + filter + "\"");
        policy.unused_for = std::chrono::duration_cast<std::chrono::seconds>(*age).count();
    }
    if (!options.keep.empty()) {
        const auto bytes = parse_bytes(options.keep);
        if (!bytes)
            give_up("--max-used-space: " + bytes.error().message);
        policy.most_bytes = *bytes;
    }
    return policy;
}

/// Layers that an image, a container or a running build needs stay: the store knows them.
void prune(const Context& context, const PruneOptions& options) {
    const build::StepCache cache(context.paths);
    image::Store store(context.paths);
    const build::CachePolicy policy = policy_of(options);
    const auto steps =
        build::steps_to_forget(cache.steps(), policy, build::cost_in(store), std::time(nullptr));
    cache.forget(steps);
    const std::int64_t downloads =
        policy.most_bytes ? 0
                          : build::Downloads(context.paths).forget(policy.unused_for.value_or(0));
    const auto removal = store.prune([](const image::Image&) { return false; },
                                     [&context] { return engine::find_in_use(context.paths); });
    sys::write_out("Forgotten steps: " + std::to_string(steps.size()) +
                   "\nTotal reclaimed space: " + format_bytes(removal.freed + downloads) + "\n");
}

void add_prune(CLI::App& group, Context& context) {
    auto* app =
        group.add_subcommand("prune", "Forget steps, and remove the layers of theirs alone");
    const auto options = std::make_shared<PruneOptions>();
    app->add_flag("-a,--all", options->all, "Also steps whose layers images have");
    app->add_flag("-f,--force", options->force, "Do not ask");
    app->add_option("--filter", options->filters, "Only steps not used for so long: until=24h")
        ->allow_extra_args(false);
    app->add_option("--max-used-space,--keep-storage",
                    options->keep,
                    "Only the longest unused, until the rest takes no more: 10GB");
    app->callback([&context, options] {
        require_root();
        if (options->force || confirmed("This makes builds run steps again. Go on?"))
            prune(context, *options);
    });
}

}  // namespace

void add_builder(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    auto* df = app.add_subcommand("df", "List the steps that builds would reuse");
    const auto format = std::make_shared<std::string>("table");
    df->add_option("--format", *format, "table or json")->check(CLI::IsMember({"table", "json"}));
    df->callback([&context, format] {
        require_root();
        show_cache(context, *format);
    });
    add_prune(app, context);
}

}  // namespace stack::cli
