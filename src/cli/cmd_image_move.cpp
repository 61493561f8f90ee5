// image pull, push, import, load, save, export: into the store and out of it.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/dry_run.h"
#include "cli/here.h"
#include "cli/image_changes.h"
#include "cli/image_commands.h"
#include "cli/output_file.h"
#include "engine/image/layer_writer.h"
#include "engine/image/reference.h"
#include "sys/fifo.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/terminal.h"
#include "sys/umask.h"

#include <algorithm>
#include <optional>

#include <fcntl.h>

namespace stack::cli {
namespace {

constexpr const char* limit_help =
    "How many bytes a layer may become, as 20GB; without it, one that grows out of all measure is "
    "refused";

std::int64_t bytes_of(const std::string& text) {
    if (text.empty())
        return 0;
    const auto bytes = parse_bytes(text);
    if (!bytes || *bytes <= 0)
        give_up("--max-unpacked wants a size, as 20GB, not \"" + text + "\"");
    return *bytes;
}

/// The worker runs elsewhere: it gets the whole path.
std::string absolute_source(const std::string& source) {
    const auto [kind, path] = split_once(source, ':');
    return kind + ":" + here(path);
}

void ensure_target(const std::string& directory) {
    const sys::CallersUmask callers;
    sys::ensure_directory(directory);
}

void save(Context& context, const Strings& references, const std::string& target) {
    require_root();
    const auto [kind, rest] = split_once(target, ':');
    const bool is_directory = kind == "oci";
    const bool is_archive = kind == "docker-archive" || kind == "oci-archive";
    const auto [path, name] = is_directory || (is_archive && rest != "-")
                                  ? image::path_and_name(here(rest))
                                  : std::pair(is_archive ? rest : target, std::string());
    std::optional<OutputFile> output;
    if (is_directory)
        ensure_target(path);
    else
        output.emplace(path);
    const sys::Fd directory = is_directory ? sys::open_directory(path) : sys::Fd();
    std::string result;
    context.exit_code =
        show_fetch(context,
                   image::start_save(
                       context.paths, references, is_directory ? directory : output->file(), name),
                   "Image " + join(references, ", "),
                   "Saving",
                   "Saved",
                   result);
    if (context.exit_code == 0 && output)
        output->finish();
}

void export_image(const Context& context, const std::string& reference, std::string target) {
    require_root();
    image::Store store(context.paths);
    const auto image = require_image(store, reference);
    store.hold(image.layers);
    if (target.starts_with("tar:"))
        target.erase(0, 4);
    OutputFile output(target);
    const sys::Fd root = sys::merged_view(store.lower_directories(image));
    image::write_layer(root, [&](std::string_view bytes) { sys::write_all(output.file(), bytes); });
    output.finish();
}

/// An archive from elsewhere, in a file as long as this lives: readers go back and forth in it.
/// What a killed command has left goes with the next one's.
class Spool {
  public:
    explicit Spool(const Context& context)
        : directory_(image::Store(context.paths).scratch()),
          path_(directory_.path() + "/archive"),
          file_(sys::open_file(path_, O_RDWR | O_CREAT | O_EXCL, 0600)) {}

    void take_input() const {
        if (sys::is_terminal(0))
            give_up("there is no archive on standard input: give a FILE, or redirect it");
        take(sys::standard_input());
    }

    void take(const sys::Fd& input) const {
        sys::read_each(input, [&](std::string_view bytes) { sys::write_all(file_, bytes); });
    }

    /// Whether it came.
    [[nodiscard]] bool download(const Context& context, const std::string& url) const {
        std::string digest;
        return show_fetch(context,
                          image::start_download(context.paths, url, 0, file_),
                          url,
                          "Downloading",
                          "Downloaded",
                          digest) == 0;
    }

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    sys::ScratchDirectory directory_;
    std::string path_;
    sys::Fd file_;
};

bool is_address(const std::string& source) {
    return source.starts_with("http://") || source.starts_with("https://");
}

struct TransferOptions {
    std::string reference;
    std::string platform;
    std::string limit;
    bool all = false;
    bool quiet = false;
};

std::string canonical(const std::string& name) {
    const auto parsed = image::parse_reference(name);
    return parsed ? image::canonical(*parsed) : name;
}

/// Of a name without a tag: with one of the `tags`.
Strings with_tags(const std::string& reference, const Strings& tags) {
    Strings names;
    for (const auto& tag : tags)
        names.push_back(reference + ":" + tag);
    return names;
}

/// Gives up where one tag is said, and all are wanted.
image::Reference untagged(const std::string& reference) {
    auto parsed = image::require_reference(reference);
    if (!parsed.digest.empty() || reference.ends_with(":" + parsed.tag))
        give_up(reference + " names one image, and -a means all of a name without a tag");
    return parsed;
}

/// Every name that is meant; nullopt where the registry does not say.
std::optional<Strings> names_to_pull(const Context& context, const TransferOptions& options) {
    if (!options.all)
        return Strings{options.reference};
    static_cast<void>(untagged(options.reference));
    std::string tags;
    const int status = show_fetch(context,
                                  image::start_list_tags(context.paths, options.reference),
                                  "Tags of " + options.reference,
                                  "Listing",
                                  "Listed",
                                  tags);
    if (status != 0)
        return std::nullopt;
    if (tags.empty())
        give_up("the registry has no tag of " + options.reference);
    return with_tags(options.reference, split(tags, '\n'));
}

void pull(Context& context, const TransferOptions& options) {
    require_root();
    if (options.quiet)
        context.globals.progress = "quiet";
    const auto names = names_to_pull(context, options);
    if (!names) {
        context.exit_code = 1;
        return;
    }
    std::vector<Action> actions;
    for (const auto& name : *names)
        actions.emplace_back(PullImage{name, options.platform});
    if (const auto told = only_actions(context, actions)) {
        context.exit_code = *told;
        return;
    }
    for (const auto& name : *names) {
        std::string result;
        const int status = show_fetch(
            context,
            image::start_pull(context.paths, name, options.platform, bytes_of(options.limit)),
            "Image " + name,
            "Pulling",
            "Pulled",
            result);
        context.exit_code = std::max(context.exit_code, status);
        if (status == 0)
            sys::write_out((options.quiet ? canonical(name) : result) + "\n");
    }
}

Strings names_to_push(const Context& context, const TransferOptions& options) {
    if (!options.all)
        return {options.reference};
    const auto wanted = untagged(options.reference);
    Strings names;
    for (const auto& image : image::Store(context.paths).list())
        for (const auto& name : image.references)
            if (const auto own = image::parse_reference(name);
                own && own->domain == wanted.domain && own->path == wanted.path &&
                own->digest.empty())
                names.push_back(name);
    if (names.empty())
        give_up("there is no image of the name " + options.reference + " (see `stack image ls`)");
    return names;
}

void push(Context& context, const TransferOptions& options) {
    require_root();
    if (options.quiet)
        context.globals.progress = "quiet";
    const Strings names = names_to_push(context, options);
    Strings sentences;
    for (const auto& name : names)
        sentences.push_back("push image/" + name);
    if (const auto told = only_sentences(context, sentences)) {
        context.exit_code = *told;
        return;
    }
    const Sent sent = push_images(context, names);
    context.exit_code = sent.status;
    for (const auto& digest : sent.digests)
        sys::write_out(digest + "\n");
}

struct ImportOptions {
    std::string source;
    std::string reference;
    std::string message;
    std::string limit;
    Strings changes;
};

void import_image(Context& context, const ImportOptions& options) {
    require_root();
    image::ImportRequest import{"",
                                options.reference,
                                with_changes({}, options.changes),
                                options.message,
                                bytes_of(options.limit)};
    std::optional<Spool> spool;
    if (options.source == "-" || is_address(options.source) || sys::is_fifo(options.source)) {
        spool.emplace(context);
        import.source = "tar:" + spool->path();
    } else if (const std::string path = here(options.source); sys::exists(path)) {
        // A bare name is a tar's, as docker has it; or a directory's.
        import.source = (sys::is_directory(path) ? "rootfs:" : "tar:") + path;
    } else {
        import.source = absolute_source(options.source);
    }
    if (options.source == "-")
        spool->take_input();
    else if (sys::is_fifo(options.source))
        spool->take(sys::open_file(options.source, O_RDONLY));
    if (is_address(options.source) && !spool->download(context, options.source)) {
        context.exit_code = 1;
        return;
    }
    std::string result;
    context.exit_code =
        show_fetch(context,
                   image::start_import(context.paths, import),
                   "Image " + (options.reference.empty() ? options.source : options.reference),
                   "Importing",
                   "Imported",
                   result);
    if (context.exit_code == 0)
        sys::write_out(result + "\n");
}

/// One id may be several images': the same content, packed another way.
std::string loaded_lines(const image::Store& store, const std::string& id) {
    std::string lines;
    for (const auto& image : store.list())
        if (image.id == id)
            for (const auto& name : image.references)
                lines += "Loaded image: " + familiar(name) + "\n";
    return lines.empty() ? "Loaded image ID: " + id + "\n" : lines;
}

}  // namespace

Sent push_images(const Context& context, const Strings& names) {
    Sent sent;
    for (const auto& name : names) {
        std::string digest;
        const int status = show_fetch(context,
                                      image::start_push(context.paths, name),
                                      "Image " + name,
                                      "Pushing",
                                      "Pushed",
                                      digest);
        sent.status = std::max(sent.status, status);
        if (status == 0)
            sent.digests.push_back(digest);
    }
    return sent;
}

void add_image_pull(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("pull", "Pull an image from its registry");
    const auto options = std::make_shared<TransferOptions>();
    app->add_option("IMAGE", options->reference, "[registry/]name[:tag][@digest]")->required();
    app->add_option(
           "--platform", options->platform, "os/architecture, where it is not this machine's")
        ->envname("DOCKER_DEFAULT_PLATFORM");
    app->add_option("--max-unpacked", options->limit, limit_help);
    app->add_flag("-a,--all-tags", options->all, "Every tag that the registry has of this name");
    app->add_flag("-q,--quiet", options->quiet, "No progress, and the image's name as the result");
    app->footer(
        "Mirrors, insecure registries and CAs: /etc/stack/registries.json or registries.json in "
        "the "
        "state directory, as\n"
        "  {\"mirrors\": {\"docker.io\": [\"https://mirror.example\"]},\n"
        "   \"insecure\": [\"registry.local:5000\"],\n"
        "   \"ca\": {\"registry.example\": \"/etc/ssl/my-ca.pem\"},\n"
        "   \"max_unpacked\": \"20GB\"}");
    app->callback([&context, options] { pull(context, *options); });
}

void add_image_push(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("push", "Send an image to the registry that its name says");
    const auto options = std::make_shared<TransferOptions>();
    app->add_option(
           "IMAGE", options->reference, "[registry/]name[:tag], as `stack image tag` gave it")
        ->required();
    app->add_flag("-a,--all-tags", options->all, "Every tag of this name that is here");
    app->add_flag("-q,--quiet", options->quiet, "No progress");
    app->footer("A registry that wants to know who pushes: `stack login REGISTRY` first.");
    app->callback([&context, options] { push(context, *options); });
}

void add_image_import(CLI::App& group, Context& context) {
    auto* app =
        group.add_subcommand("import", "Take an image from a file or directory into the store");
    const auto options = std::make_shared<ImportOptions>();
    app->add_option("-c,--change",
                    options->changes,
                    "What a tar or rootfs image says of itself, as in a Dockerfile: 'CMD [\"sh\"]' "
                    "(repeatable)")
        ->allow_extra_args(false);
    app->add_option("-m,--message", options->message, "What its history says of the import");
    app->add_option("--max-unpacked", options->limit, limit_help);
    app->add_option(
           "SOURCE",
           options->source,
           "docker-archive:FILE[:NAME], oci-archive:FILE[:NAME], oci:DIR[:NAME], rootfs:DIR; or a "
           "tar of files: tar:FILE, FILE, its http address, or - (standard input)")
        ->required();
    app->add_option("IMAGE", options->reference, "The name it gets (default: the one it carries)");
    app->callback([&context, options] { import_image(context, *options); });
}

void add_image_load(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand(
        "load", "Take the images of an archive, as `image save` or `docker save` wrote it");
    const auto source = std::make_shared<std::string>();
    const auto input = std::make_shared<std::string>();
    const auto limit = std::make_shared<std::string>();
    app->add_option("-i,--input", *input, "The archive (default: standard input)");
    app->add_option("SOURCE", *source, "The same as for `image import`: docker-archive:FILE …");
    app->add_option("--max-unpacked", *limit, limit_help);
    app->callback([&context, source, input, limit] {
        require_root();
        const bool from_input = source->empty() && (input->empty() || *input == "-");
        const bool from_pipe = source->empty() && sys::is_fifo(*input);
        std::optional<Spool> spool;
        if (from_input)
            spool.emplace(context).take_input();
        else if (from_pipe)
            spool.emplace(context).take(sys::open_file(*input, O_RDONLY));
        const std::string file = spool ? spool->path() : *input;
        const std::string from =
            source->empty() ? "docker-archive:" + here(file) : absolute_source(*source);
        std::string result;
        context.exit_code =
            show_fetch(context,
                       image::start_import(context.paths, {from, "", {}, "", bytes_of(*limit)}),
                       "Archive " + (from_input ? "on standard input" : *input + *source),
                       "Loading",
                       "Loaded",
                       result);
        if (context.exit_code != 0)
            return;
        const image::Store store(context.paths);
        for (const auto& id : split(result, '\n'))
            sys::write_out(loaded_lines(store, id));
    });
}

void add_image_save(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("save", "Write images to an archive or an OCI directory");
    const auto references = std::make_shared<Strings>();
    const auto target = std::make_shared<std::string>();
    app->add_option("IMAGE", *references, "Names or ids")->required();
    app->add_option("-o,--output",
                    *target,
                    "FILE, docker-archive:FILE[:NAME], oci-archive:FILE[:NAME] or oci:DIR[:NAME], "
                    "NAME being what the image is called there (default: standard output)");
    app->footer(
        "The archive is an OCI layout and what `docker load` reads, in one. Layers keep the "
        "digests "
        "that they were pulled with.");
    app->callback([&context, references, target] { save(context, *references, *target); });
}

void add_image_export(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand(
        "export", "Write an image's files as one tar, which `image import tar:FILE` takes");
    const auto reference = std::make_shared<std::string>();
    const auto target = std::make_shared<std::string>();
    app->add_option("IMAGE", *reference, "Name or id")->required();
    app->add_option("-o,--output", *target, "FILE or tar:FILE (default: standard output)");
    app->callback([&context, reference, target] { export_image(context, *reference, *target); });
}

}  // namespace stack::cli
