// image ls, history, inspect: what is in the store.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/format.h"
#include "cli/image_commands.h"
#include "cli/style.h"
#include "engine/image/reference.h"
#include "sys/terminal.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

struct ListOptions {
    std::string pattern;
    Strings filters;
    std::string format = "table";
    bool quiet = false;
    bool digests = false;
    bool no_trunc = false;
    bool tree = false;
};

struct HistoryOptions {
    std::string format = "table";
    bool quiet = false;
    bool no_trunc = false;
    bool human = true;
};

std::string age_text(Time created, Time now) {
    return format_age(std::chrono::duration_cast<std::chrono::seconds>(now - created)) + " ago";
}

Strings names_of(const image::Image& image) {
    Strings names;
    for (const auto& reference : image.references)
        names.push_back(familiar(reference));
    return names.empty() ? Strings{"<none>"} : names;
}

/// Of an image's names, those that the filter asks for.
Strings matching_names(const image::Image& image, const ImageFilter& filter) {
    image::Image alone = image;
    Strings names;
    for (const auto& reference : image.references) {
        alone.references = {reference};
        if (filter.matches(alone))
            names.push_back(familiar(reference));
    }
    return names.empty() ? names_of(image) : names;
}

/// Images that have a layer, by its diffID.
std::map<std::string, int> sharers(const std::vector<image::Image>& images) {
    std::map<std::string, int> count;
    for (const auto& image : images)
        for (const auto& layer : std::set<std::string>(image.layers.begin(), image.layers.end()))
            ++count[layer];
    return count;
}

/// What removing the image would free, and each of its layers.
std::string tree_text(const image::Store& store,
                      const std::vector<image::Image>& images,
                      const ImageFilter& filter) {
    const auto count = sharers(store.list());
    std::string text;
    for (const auto& image : images) {
        if (!filter.matches(image))
            continue;
        std::int64_t own = 0;
        std::string lines;
        for (const auto& layer : image.layers) {
            const auto record = store.layer(layer);
            const std::int64_t size = record.size + (record.packed ? record.packed->size : 0);
            const int others = count.at(layer) - 1;
            own += others == 0 ? size : 0;
            lines += "  " + id_text(layer, false) + "  " + format_bytes(size) +
                     (others == 0 ? "" : "  shared with " + std::to_string(others) + " more") +
                     "\n";
        }
        text += join(names_of(image), ", ") + "  " + id_text(image.id, false) +
                "  removing it frees " + format_bytes(own) + "\n" + lines;
    }
    return text;
}

/// As docker's, and `Bytes`: the size as a number.
Json list_json(const image::Image& image, const std::string& name, bool whole_ids, Time now) {
    const auto [repository, tag] = repository_and_tag(name);
    return {{"Image", name},
            {"Repository", repository},
            {"Tag", tag.empty() ? "<none>" : tag},
            {"ID", id_text(image.id, whole_ids)},
            {"Digest", image.remote_digest.empty() ? "<none>" : image.remote_digest},
            {"CreatedAt", date_text(image.created)},
            {"CreatedSince", age_text(image.created, now)},
            {"Size", format_bytes(image.size)},
            {"VirtualSize", format_bytes(image.size)},
            {"SharedSize", "N/A"},
            {"UniqueSize", "N/A"},
            {"Containers", "N/A"},
            {"Bytes", image.size}};
}

std::vector<image::Image> newest_first(std::vector<image::Image> images) {
    std::stable_sort(images.begin(), images.end(), [](const auto& a, const auto& b) {
        return a.created > b.created;
    });
    return images;
}

void list_images(const Context& context, const ListOptions& options) {
    const image::Store store(context.paths);
    Strings filters = options.filters;
    if (!options.pattern.empty())
        filters.push_back("reference=" + options.pattern);
    const ImageFilter filter(store, filters);
    const Time now = std::chrono::system_clock::now();
    Strings head{"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"};
    Strings fields{"Repository", "Tag", "ID", "CreatedSince", "Size"};
    if (options.digests) {
        head.insert(head.begin() + 2, "DIGEST");
        fields.insert(fields.begin() + 2, "Digest");
    }
    std::vector<Strings> rows{head};
    std::string ids;
    std::string lines;
    std::vector<Json> objects;
    const auto images = newest_first(store.list());
    if (options.tree) {
        sys::write_out(tree_text(store, images, filter));
        return;
    }
    for (const auto& image : images) {
        if (!filter.matches(image))
            continue;
        ids += id_text(image.id, options.no_trunc) + "\n";
        for (const auto& name : matching_names(image, filter)) {
            objects.push_back(list_json(image, name, options.no_trunc, now));
            Strings& row = rows.emplace_back();
            for (const auto& field : fields)
                row.push_back(objects.back()[field].get<std::string>());
            lines += objects.back().dump() + "\n";
        }
    }
    if (is_template(options.format))
        lines = formatted(options.format, objects);
    sys::write_out(options.quiet ? ids : options.format == "table" ? table(rows) : lines);
}

/// When a step was made; {} where it does not say.
Time time_of(const Json& step) {
    std::tm parts{};
    const Json created = step.value("created", Json());
    if (!created.is_string() ||
        ::strptime(created.get_ref<const std::string&>().c_str(), "%Y-%m-%dT%H:%M:%S", &parts) ==
            nullptr)
        return {};
    return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::string text_in(const Json& step, const char* key) {
    const auto found = step.find(key);
    return found != step.end() && found->is_string() ? printable(found->get<std::string>()) : "";
}

/// A step as docker has it, without its ID, and `Layer` and `Bytes`.
Json step_json(const Json& step,
               const std::string& diff_id,
               std::int64_t size,
               const HistoryOptions& options) {
    const Time created = time_of(step);
    const Time now = std::chrono::system_clock::now();
    constexpr std::size_t widest = 45;
    std::string command = text_in(step, "created_by");
    if (!options.no_trunc && command.size() > widest)
        command = command.substr(0, widest - 3) + "...";
    return {{"Layer", diff_id},
            {"CreatedAt", created == Time{} ? "" : time_text(created)},
            {"CreatedSince", created == Time{} ? "N/A" : age_text(created, now)},
            {"CreatedBy", command},
            {"Size", options.human ? format_bytes(size) : std::to_string(size)},
            {"Bytes", size},
            {"Comment", text_in(step, "comment")}};
}

/// The newest first, as docker has it: that one's id is the image's, and the steps before it are no
/// images here.
std::vector<Json> history_of(const image::Store& store,
                             const image::Image& image,
                             const HistoryOptions& options) {
    const Json config = Json::parse(image.config_json);
    const Json history = config.value("history", Json::array());
    std::vector<Json> steps;
    std::size_t layer = 0;
    for (const auto& step : history) {
        if (!step.is_object())
            continue;
        const auto empty = step.find("empty_layer");
        const bool has_layer =
            (empty == step.end() || *empty != true) && layer < image.layers.size();
        const std::string diff_id = has_layer ? image.layers[layer++] : "";
        steps.push_back(
            step_json(step, diff_id, has_layer ? store.layer(diff_id).size : 0, options));
    }
    std::reverse(steps.begin(), steps.end());
    for (auto& step : steps)
        step["ID"] = "<missing>";
    if (!steps.empty())
        steps.front()["ID"] = id_text(image.id, options.no_trunc);
    return steps;
}

void show_history(const Context& context,
                  const std::string& reference,
                  const HistoryOptions& options) {
    const image::Store store(context.paths);
    const auto steps = history_of(store, require_image(store, reference), options);
    std::vector<Strings> rows{{"IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"}};
    std::string ids;
    std::string lines;
    for (const auto& step : steps) {
        Strings row;
        for (const auto* key :
             {"ID", options.human ? "CreatedSince" : "CreatedAt", "CreatedBy", "Size", "Comment"})
            row.push_back(step[key].get<std::string>());
        ids += row.front() + "\n";
        rows.push_back(std::move(row));
        lines += step.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    }
    if (is_template(options.format))
        lines = formatted(options.format, steps);
    sys::write_out(options.quiet ? ids : options.format == "table" ? table(rows) : lines);
}

/// Of the step that was made last.
std::string comment_of(const Json& config) {
    const Json history = config.value("history", Json::array());
    return history.is_array() && !history.empty() && history.back().is_object()
               ? text_in(history.back(), "comment")
               : "";
}

/// As a container has it below its own layer.
Json graph_json(const image::Store& store, const image::Image& image) {
    Strings lowers = store.lower_directories(image);
    const std::string top = lowers.front();
    lowers.erase(lowers.begin());
    Json data = {{"UpperDir", top}};
    if (!lowers.empty())
        data["LowerDir"] = join(lowers, ":");
    return {{"Name", "overlay2"}, {"Data", data}};
}

Json inspect_json(const image::Store& store, const image::Image& image) {
    const Json config = Json::parse(image.config_json);
    Json layers = Json::array();
    for (const auto& diff_id : image.layers) {
        const auto record = store.layer(diff_id);
        Json layer = {{"DiffID", diff_id}, {"Size", record.size}};
        if (record.packed) {
            layer["Digest"] = record.packed->digest;
            layer["PackedSize"] = record.packed->size;
            layer["MediaType"] = record.packed->media_type;
        }
        layers.push_back(layer);
    }
    Strings tags;
    Strings digests;
    for (const auto& reference : image.references) {
        const auto parsed = image::parse_reference(reference);
        const std::string name = familiar(reference);
        if (parsed && parsed->digest.empty())
            tags.push_back(name);
        if (parsed && !image.remote_digest.empty())
            digests.push_back(repository_and_tag(name).repository + "@" + image.remote_digest);
    }
    std::sort(digests.begin(), digests.end());
    digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
    Json metadata = Json::object();
    if (image.named != Time{})
        metadata["LastTagTime"] = time_text(image.named);
    return {{"Id", image.id},
            {"Parent", ""},
            {"Comment", comment_of(config)},
            {"DockerVersion", ""},
            {"GraphDriver", graph_json(store, image)},
            {"Metadata", metadata},
            {"RepoTags", tags},
            {"RepoDigests", digests},
            {"Manifest", image.manifest_digest},
            {"MediaType", image.manifest_type},
            {"Created", config.value("created", "")},
            {"Author", config.value("author", "")},
            {"Architecture", image.config.architecture},
            {"Variant", image.config.variant},
            {"Os", image.config.os},
            {"Size", image.size},
            {"RootFS", {{"Type", "layers"}, {"Layers", image.layers}}},
            {"Layers", layers},
            {"Config", config.value("config", Json::object())},
            {"History", config.value("history", Json::array())}};
}

}  // namespace

void add_image_ls(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("ls", "List the images of the store")->alias("list");
    const auto options = std::make_shared<ListOptions>();
    app->add_option("NAME", options->pattern, "Only images of this name; * and ? are wild");
    app->add_flag_callback(
        "-a,--all", [] {}, "Is so anyway: nothing is hidden");
    app->add_flag("-q,--quiet", options->quiet, "Only ids");
    app->add_flag("--digests", options->digests, "Also the digests that registries have them by");
    app->add_flag("--no-trunc", options->no_trunc, "Whole ids");
    app->add_flag("--tree", options->tree, "Each image's layers, and what removing it would free");
    app->add_option("-f,--filter",
                    options->filters,
                    "label=NAME[=VALUE], reference=GLOB, dangling=true, until=24h, before=IMAGE, "
                    "since=IMAGE (repeatable)")
        ->allow_extra_args(false);
    add_format(*app, options->format);
    app->callback([&context, options] { list_images(context, *options); });
}

void add_image_history(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("history", "Show how an image was made, the last step first");
    const auto options = std::make_shared<HistoryOptions>();
    const auto reference = std::make_shared<std::string>();
    app->add_option("IMAGE", *reference, "Name or id")->required();
    app->add_flag("--no-trunc", options->no_trunc, "Whole commands and ids");
    app->add_flag("-q,--quiet", options->quiet, "Only the ids");
    app->add_flag(
        "-H,--human", options->human, "Sizes and times for people (--human=false: as they are)");
    add_format(*app, options->format);
    app->callback([&context, options, reference] { show_history(context, *reference, *options); });
}

void add_image_inspect(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("inspect", "Print all that is known of images, as JSON");
    const auto references = std::make_shared<Strings>();
    app->add_option("IMAGE", *references, "Names or ids")->required();
    const auto format = std::make_shared<std::string>();
    add_inspect_format(*app, *format);
    app->callback([&context, references, format] {
        const image::Store store(context.paths);
        std::vector<Json> list;
        for (const auto& reference : *references)
            list.push_back(inspect_json(store, require_image(store, reference)));
        sys::write_out(inspected(*format, list));
    });
}

}  // namespace stack::cli
