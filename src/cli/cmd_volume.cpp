// volume: the volumes of this instance by their own names, of whichever stack or none.

#include <stack/engine.h>
#include <stack/error.h>

#include "base/random.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/container_size.h"
#include "cli/describe.h"
#include "cli/dry_run.h"
#include "cli/filters.h"
#include "cli/format.h"
#include "cli/local.h"
#include "cli/prune.h"
#include "cli/style.h"
#include "cli/target.h"
#include "cli/volume_list.h"
#include "engine/storage/volumes.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;
using storage::VolumeRecord;

/// Pairs as `NAME=VALUE`; a name alone has the value "".
StringMap pairs_of(const Strings& texts) {
    StringMap pairs;
    for (const auto& text : texts)
        pairs.insert_or_assign(split_once(text, '=').first, split_once(text, '=').second);
    return pairs;
}

/// Volumes that a container has, running or not.
std::set<std::string> volumes_in_use(const Context& context) {
    std::set<std::string> names;
    for (const auto& container : all_containers(context))
        for (const auto& mount : container.mounts)
            if (mount.type == MountType::volume)
                names.insert(mount.source);
    return names;
}

// --- which ones ---

bool passes(const VolumeRecord& volume,
            const std::string& key,
            const std::string& value,
            bool in_use) {
    if (key == "name")
        return volume.name.find(value) != std::string::npos;
    if (key == "driver")
        return driver_of(volume) == value;
    if (key == "dangling")
        return in_use != truth_of(key, value);
    return has_label(volume.labels, value) == (key == "label");
}

std::vector<VolumeRecord> chosen_volumes(const Context& context, const Filters& filters) {
    auto volumes = storage::list_volumes(context.paths);
    const auto in_use =
        filters.have("dangling") ? volumes_in_use(context) : std::set<std::string>();
    std::erase_if(volumes, [&](const VolumeRecord& volume) {
        return !filters.hold([&](const std::string& key, const std::string& value) {
            return passes(volume, key, value, in_use.contains(volume.name));
        });
    });
    return volumes;
}

VolumeRecord require_volume(const Context& context, const std::string& name) {
    if (auto found = storage::find_volume(context.paths, name))
        return std::move(*found);
    Strings names;
    for (const auto& volume : storage::list_volumes(context.paths))
        names.push_back(volume.name);
    const std::string near = closest(name, names);
    give_up("no such volume: " + name +
            (near.empty() ? " (see `stack volume ls`)" : "; did you mean " + near + "?"));
}

// --- what is done ---

struct CreateOptions {
    std::string name;
    std::string driver;
    Strings driver_options;
    Strings labels;
};

int create(const Context& context, const CreateOptions& options) {
    require_root();
    if (!options.driver.empty() && options.driver != "local")
        give_up("there is no volume driver " + options.driver + ": the only one is `local`");
    constexpr std::size_t digits = 64;
    VolumeRecord record;
    record.anonymous = options.name.empty();
    record.name = record.anonymous ? random_hex(digits) : options.name;
    record.driver = options.driver;
    record.driver_opts = pairs_of(options.driver_options);
    record.labels = pairs_of(options.labels);
    Volume volume;
    volume.name = record.name;
    if (const auto status = only_actions(context, {CreateVolume{.volume = volume}}))
        return *status;
    storage::ensure_volume(context.paths, record);
    sys::write_out(record.name + "\n");
    return 0;
}

/// Refused while a container has it.
bool remove(const Context& context, const std::string& name) {
    LocalEngine local(context.paths);
    const Outcome outcome = local.perform({RemoveVolume{name}}, [](const Event&) {});
    if (outcome)
        sys::write_err(std::string("stack: ") + outcome->what() + "\n");
    return !outcome;
}

int remove(const Context& context, const Strings& names, bool force) {
    require_root();
    if (context.globals.dry_run) {
        std::vector<Action> actions;
        for (const auto& name : names)
            if (!force || storage::find_volume(context.paths, name))
                actions.emplace_back(RemoveVolume{require_volume(context, name).name});
        return only_actions(context, actions).value_or(0);
    }
    int status = 0;
    for (const auto& name : names) {
        if (force && !storage::find_volume(context.paths, name))
            continue;
        if (remove(context, require_volume(context, name).name))
            sys::write_out(name + "\n");
        else
            status = 1;
    }
    return status;
}

std::vector<VolumeRecord> volumes_to_prune(const Context& context,
                                           const Strings& filters,
                                           bool all) {
    auto volumes = chosen_volumes(context, Filters(filters, {"name", "driver", "label", "label!"}));
    const auto in_use = volumes_in_use(context);
    std::erase_if(volumes, [&](const VolumeRecord& volume) {
        return in_use.contains(volume.name) || (!all && !volume.anonymous);
    });
    return volumes;
}

int prune(const Context& context, const Strings& filters, bool all, bool force) {
    require_root();
    std::vector<Action> actions;
    for (const auto& volume : volumes_to_prune(context, filters, all))
        actions.emplace_back(RemoveVolume{volume.name});
    if (const auto status = only_actions(context, actions))
        return *status;
    if (!may_remove(std::string(all ? "all" : "anonymous") +
                        " local volumes not used by at least one container.",
                    force))
        return 1;
    const Pruned pruned = prune_volumes(context, filters, all);
    sys::write_out(pruned_text("Volumes", pruned) + reclaimed_text(pruned.freed));
    return pruned.status;
}

// --- what is shown ---

/// In the shape of `docker volume inspect`.
Json volume_json(const Context& context, const VolumeRecord& volume) {
    return {{"Name", volume.name},
            {"CreatedAt", time_text(std::chrono::system_clock::from_time_t(volume.created))},
            {"Driver", driver_of(volume)},
            {"Mountpoint", storage::volume_directory(context.paths, volume.name)},
            {"Labels", volume.labels},
            {"Options", volume.driver_opts},
            {"Scope", "local"}};
}

struct ListOptions {
    Strings filters;
    std::string format = "table";
    bool quiet = false;
};

void list(const Context& context, const ListOptions& options) {
    std::vector<Strings> rows{{"DRIVER", "VOLUME NAME"}};
    std::string lines;
    std::vector<Json> objects;
    const Filters filters(options.filters, {"name", "driver", "dangling", "label", "label!"});
    for (const auto& volume : chosen_volumes(context, filters)) {
        rows.push_back({driver_of(volume), volume.name});
        objects.push_back(volume_list_json(context.paths, volume));
        lines += options.quiet ? volume.name + "\n" : objects.back().dump() + "\n";
    }
    if (is_template(options.format) && !options.quiet)
        lines = formatted(options.format, objects);
    sys::write_out(options.quiet || options.format != "table" ? lines : table(rows));
}

// --- the verbs ---

void add_volume_create(CLI::App& app, Context& context) {
    const auto options = std::make_shared<CreateOptions>();
    app.add_option("NAME", options->name, "Its name (default: a random one)");
    app.add_option("-d,--driver", options->driver, "local is the only one");
    app.add_option("-o,--opt",
                   options->driver_options,
                   "Mount something: type=, device= and o=, as mount(8) has them (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--label", options->labels, "NAME[=VALUE] (repeatable)")
        ->allow_extra_args(false);
    app.callback([&context, options] { context.exit_code = create(context, *options); });
}

void add_volume_ls(CLI::App& app, Context& context) {
    const auto options = std::make_shared<ListOptions>();
    app.add_option("-f,--filter",
                   options->filters,
                   "Only those with name=, driver=, dangling=, label= or label!= (repeatable)")
        ->allow_extra_args(false);
    add_format(app, options->format);
    app.add_flag("-q,--quiet", options->quiet, "Only names");
    app.callback([&context, options] { list(context, *options); });
}

void add_volume_inspect(CLI::App& app, Context& context) {
    const auto names = std::make_shared<Strings>();
    app.add_option("VOLUME", *names, "Names")->required();
    const auto format = std::make_shared<std::string>();
    add_inspect_format(app, *format);
    app.callback([&context, names, format] {
        std::vector<Json> volumes;
        for (const auto& name : *names)
            volumes.push_back(volume_json(context, require_volume(context, name)));
        sys::write_out(inspected(*format, volumes));
    });
}

void add_volume_rm(CLI::App& app, Context& context) {
    const auto names = std::make_shared<Strings>();
    const auto force = std::make_shared<bool>(false);
    app.add_option("VOLUME", *names, "Names")->required();
    app.add_flag("-f,--force", *force, "Say nothing of volumes that are not there");
    app.callback([&context, names, force] { context.exit_code = remove(context, *names, *force); });
}

void add_volume_prune(CLI::App& app, Context& context) {
    const auto filters = std::make_shared<Strings>();
    const auto all = std::make_shared<bool>(false);
    const auto force = std::make_shared<bool>(false);
    app.add_flag("-a,--all", *all, "Also volumes with a name");
    app.add_flag("-f,--force", *force, "Do not ask");
    app.add_option(
           "--filter", *filters, "Only those with name=, driver=, label= or label!= (repeatable)")
        ->allow_extra_args(false);
    app.callback([&context, filters, all, force] {
        context.exit_code = prune(context, *filters, *all, *force);
    });
}

}  // namespace

Pruned prune_volumes(const Context& context, const Strings& filters, bool all) {
    Pruned pruned;
    for (const auto& volume : volumes_to_prune(context, filters, all)) {
        const std::int64_t size = volume_size(context.paths, volume.name);
        if (!remove(context, volume.name)) {
            pruned.status = 1;
            continue;
        }
        pruned.freed += size;
        pruned.removed.push_back(volume.name);
    }
    return pruned;
}

void add_volume(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    const auto add = [&](const char* name, const char* summary, AddCommand declare) {
        declare(*app.add_subcommand(name, summary), context);
    };
    add("create", "Make a volume", add_volume_create);
    add("ls", "List volumes, of whichever stack", add_volume_ls);
    add("inspect", "Print what a volume is, as JSON", add_volume_inspect);
    add("rm", "Remove volumes that no container has, with their data", add_volume_rm);
    add("prune", "Remove every anonymous volume that no container has", add_volume_prune);
    app.get_subcommand("ls")->alias("list");
    app.get_subcommand("rm")->alias("remove");
}

}  // namespace stack::cli
