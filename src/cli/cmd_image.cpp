// image: the store, by the names of images. container: containers by their own names.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/local.h"
#include "cli/progress.h"
#include "cli/style.h"
#include "engine/image/fetch.h"
#include "engine/image/reference.h"
#include "engine/image/store.h"
#include "engine/in_use.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

constexpr std::size_t short_id = 12;

image::Image require_image(const image::Store& store, const std::string& reference) {
    auto image = store.find(reference);
    if (!image)
        give_up("no such image: " + reference + " (see `stack image ls`)");
    return std::move(*image);
}

std::string familiar(const std::string& canonical) {
    const auto reference = image::parse_reference(canonical);
    return reference ? image::familiar(*reference) : canonical;
}

void list_images(const Context& context, bool quiet, const std::string& format) {
    const image::Store store(context.paths);
    const Time now = std::chrono::system_clock::now();
    std::vector<Strings> rows{{"IMAGE", "ID", "CREATED", "SIZE"}};
    std::string ids;
    std::string lines;
    for (const auto& image : store.list()) {
        const std::string id = image.id.substr(image.id.find(':') + 1);
        ids += id + "\n";
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - image.created);
        for (const auto& reference :
             image.references.empty() ? Strings{"<none>"} : image.references) {
            rows.push_back({familiar(reference),
                            id.substr(0, short_id),
                            format_age(age) + " ago",
                            format_bytes(image.size)});
            lines += nlohmann::json{{"Image", familiar(reference)},
                                    {"ID", image.id},
                                    {"CreatedAt", time_text(image.created)},
                                    {"Size", image.size}}
                         .dump() +
                     "\n";
        }
    }
    sys::write_out(quiet ? ids : format == "json" ? lines : table(rows));
}

int show_fetch(const Context& context,
               image::Fetch fetch,
               const std::string& id,
               const std::string& done) {
    const auto progress =
        make_progress(context.globals, done == "Pulled" ? "Pulling" : "Importing");
    try {
        const std::string image =
            image::finish(fetch, [&](const Event& event) { progress->show(event); });
        progress->show({.id = id, .status = EventStatus::done, .text = done});
        progress->finish();
        sys::write_out(image + "\n");
        return 0;
    } catch (const Error& error) {
        progress->show(
            {.id = id, .status = EventStatus::error, .text = "Error", .detail = error.what()});
        progress->finish();
        return 1;
    }
}

/// One `--change`: the instructions of a Dockerfile that only describe.
void apply_change(ImageConfig& config, const std::string& change) {
    const auto [instruction, rest] = split_once(change, ' ');
    const std::string name = to_lower(instruction);
    const std::string value(trim(rest));
    const auto json = nlohmann::json::parse(value, nullptr, false);
    const Strings words = json.is_array() ? json.get<Strings>() : Strings{"/bin/sh", "-c", value};
    if (name == "cmd")
        config.command = words;
    else if (name == "entrypoint")
        config.entrypoint = words;
    else if (name == "env")
        config.environment.push_back(value);
    else if (name == "workdir")
        config.working_dir = value;
    else if (name == "user")
        config.user = value;
    else if (name == "volume")
        config.volumes.push_back(value);
    else if (name == "expose")
        config.exposed_ports.push_back(value.find('/') == std::string::npos ? value + "/tcp"
                                                                            : value);
    else if (name == "stopsignal")
        config.stop_signal = value;
    else if (name == "label")
        config.labels.insert(split_once(value, '='));
    else
        give_up(
            "--change knows CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and "
            "WORKDIR, not " +
            instruction);
}

ImageConfig config_of(const Strings& changes) {
    ImageConfig config;
    for (const auto& change : changes)
        apply_change(config, change);
    return config;
}

/// The worker runs elsewhere: it gets the whole path.
std::string absolute_source(const std::string& source) {
    const auto [kind, path] = split_once(source, ':');
    return kind + ":" + sys::absolute_path(path, sys::current_directory());
}

void show(const image::Removal& removal) {
    std::string lines;
    for (const auto& reference : removal.untagged)
        lines += "Untagged: " + familiar(reference) + "\n";
    for (const auto& id : removal.deleted)
        lines += "Deleted: " + id + "\n";
    sys::write_out(lines);
}

void add_image_ls(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("ls", "List the images of the store");
    const auto quiet = std::make_shared<bool>(false);
    const auto format = std::make_shared<std::string>("table");
    app->add_flag("-q,--quiet", *quiet, "Only ids");
    app->add_option("--format", *format, "table or json")->check(CLI::IsMember({"table", "json"}));
    app->callback([&context, quiet, format] { list_images(context, *quiet, *format); });
}

void add_image_pull(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("pull", "Pull an image from its registry");
    const auto reference = std::make_shared<std::string>();
    const auto platform = std::make_shared<std::string>();
    app->add_option("IMAGE", *reference, "[registry/]name[:tag][@digest]")->required();
    app->add_option("--platform", *platform, "os/architecture, where it is not this machine's");
    app->callback([&context, reference, platform] {
        require_root();
        context.exit_code = show_fetch(context,
                                       image::start_pull(context.paths, *reference, *platform),
                                       "Image " + *reference,
                                       "Pulled");
    });
}

void add_image_import(CLI::App& group, Context& context, const char* name, const char* summary) {
    auto* app = group.add_subcommand(name, summary);
    const auto source = std::make_shared<std::string>();
    const auto reference = std::make_shared<std::string>();
    const auto changes = std::make_shared<Strings>();
    app->add_option("-c,--change",
                    *changes,
                    "What a tar or rootfs image says of itself, as in a Dockerfile: 'CMD [\"sh\"]' "
                    "(repeatable)")
        ->allow_extra_args(false);
    app->add_option("SOURCE",
                    *source,
                    "docker-archive:FILE, oci-archive:FILE, oci:DIR, tar:FILE or rootfs:DIR")
        ->required();
    app->add_option("IMAGE", *reference, "The name it gets (default: the one it carries)");
    app->callback([&context, source, reference, changes] {
        require_root();
        const image::ImportRequest import{
            absolute_source(*source), *reference, config_of(*changes)};
        context.exit_code = show_fetch(context,
                                       image::start_import(context.paths, import),
                                       "Image " + (reference->empty() ? *source : *reference),
                                       "Imported");
    });
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
        store.tag(require_image(store, *source).id, *target);
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
        for (const auto& reference : *references) {
            static_cast<void>(require_image(store, reference));
            show(store.remove(
                reference, *force, [&] { return engine::find_in_use(context.paths); }));
        }
    });
}

void add_image_inspect(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("inspect", "Print what an image says of itself, as JSON");
    const auto reference = std::make_shared<std::string>();
    app->add_option("IMAGE", *reference, "Name or id")->required();
    app->callback([&context, reference] {
        const image::Store store(context.paths);
        const auto image = require_image(store, *reference);
        const nlohmann::json json = {{"Id", image.id},
                                     {"RepoTags", image.references},
                                     {"Digest", image.manifest_digest},
                                     {"Size", image.size},
                                     {"Layers", image.layers},
                                     {"Config", nlohmann::json::parse(image.config_json)}};
        sys::write_out(json.dump(2) + "\n");
    });
}

}  // namespace

void add_image(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    add_image_ls(app, context);
    add_image_pull(app, context);
    add_image_import(
        app, context, "import", "Take an image from a file or directory into the store");
    add_image_import(app, context, "load", "The same as import");
    add_image_tag(app, context);
    add_image_rm(app, context);
    add_image_inspect(app, context);
}

void add_container(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    const auto all = std::make_shared<bool>(false);
    auto* ls = app.add_subcommand("ls", "List the containers of every stack");
    ls->add_flag("-a,--all", *all, "Also those that do not run");
    ls->callback([&context, all] {
        const cgroup::Cgroups cgroups;
        network::Networks networks(context.paths);
        const runtime::Runtime runtime(context.paths, cgroups, networks);
        const Time now = std::chrono::system_clock::now();
        std::vector<Strings> rows{{"CONTAINER ID", "IMAGE", "COMMAND", "STATUS", "PORTS", "NAMES"}};
        for (const auto& id : runtime.list()) {
            const auto container = runtime.observe(id);
            if (!container || (!*all && container->state != ContainerState::running))
                continue;
            rows.push_back({id.substr(0, short_id),
                            container->image,
                            command_text(*container, false),
                            status_text(*container, now),
                            ports_text(*container),
                            container->name});
        }
        sys::write_out(table(rows));
    });
    const auto name = std::make_shared<std::string>();
    auto* inspect = app.add_subcommand("inspect", "Print the state of a container as JSON");
    inspect->add_option("CONTAINER", *name, "Name or id")->required();
    inspect->callback([&context, name] {
        const cgroup::Cgroups cgroups;
        network::Networks networks(context.paths);
        const runtime::Runtime runtime(context.paths, cgroups, networks);
        const auto record = runtime.find(*name);
        const auto container = record ? runtime.observe(record->id) : std::nullopt;
        if (!container)
            give_up("no such container: " + *name + " (see `stack container ls -a`)");
        sys::write_out(ps_json(*container, std::chrono::system_clock::now()).dump(2) + "\n");
    });
}

}  // namespace stack::cli
