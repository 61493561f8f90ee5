// image pull, push, import, load, save, export: into the store and out of it.

#include "base/random.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/dry_run.h"
#include "cli/image_changes.h"
#include "cli/image_commands.h"
#include "engine/image/layer_writer.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/terminal.h"

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

ImageConfig config_of(const Strings& changes) {
    ImageConfig config;
    for (const auto& change : changes)
        apply_change(config, change);
    return config;
}

std::string here(const std::string& path) {
    return sys::absolute_path(path, sys::current_directory());
}

/// The worker runs elsewhere: it gets the whole path.
std::string absolute_source(const std::string& source) {
    const auto [kind, path] = split_once(source, ':');
    return kind + ":" + here(path);
}

/// A file that takes its name when it is whole: what is there until then stays.
class OutputFile {
  public:
    explicit OutputFile(const std::string& path) : path_(here(path)) {
        if (path.empty() || path == "-") {
            if (sys::is_terminal(1))
                give_up("an archive is nothing for a terminal: give -o FILE, or redirect it");
            path_.clear();
            file_ = sys::Fd(::fcntl(1, F_DUPFD_CLOEXEC, 3));
            return;
        }
        temporary_ = path_ + "." + random_hex(8);
        file_ = sys::open_file(temporary_, O_WRONLY | O_CREAT | O_EXCL, 0644);
    }

    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    ~OutputFile() {
        if (!temporary_.empty())
            ::unlink(temporary_.c_str());
    }

    [[nodiscard]] const sys::Fd& file() const { return file_; }

    void finish() {
        if (temporary_.empty())
            return;
        sys::rename(temporary_, path_);
        temporary_.clear();
    }

  private:
    std::string path_;  // empty: standard output
    std::string temporary_;
    sys::Fd file_;
};

void save(Context& context, const Strings& references, const std::string& target) {
    require_root();
    const auto [kind, path] = split_once(target, ':');
    const std::string id = "Image " + join(references, ", ");
    std::string result;
    if (kind == "oci") {
        sys::ensure_directory(here(path));
        context.exit_code = show_fetch(
            context,
            image::start_save(context.paths, references, sys::open_directory(here(path))),
            id,
            "Saving",
            "Saved",
            result);
        return;
    }
    const bool named = kind == "docker-archive" || kind == "oci-archive";
    OutputFile output(named ? path : target);
    context.exit_code = show_fetch(context,
                                   image::start_save(context.paths, references, output.file()),
                                   id,
                                   "Saving",
                                   "Saved",
                                   result);
    if (context.exit_code == 0)
        output.finish();
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

/// An archive on standard input, in a file: readers go back and forth in it.
std::string spooled_input(const Context& context) {
    if (sys::is_terminal(0))
        give_up("there is no archive on standard input: give -i FILE");
    const std::string path = context.paths.state + "/images/load-" + random_hex(16);
    sys::ensure_private_directory(context.paths.state + "/images");
    const sys::Fd file = sys::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    sys::read_each(sys::standard_input(),
                   [&](std::string_view bytes) { sys::write_all(file, bytes); });
    return path;
}

}  // namespace

void add_image_pull(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("pull", "Pull an image from its registry");
    const auto reference = std::make_shared<std::string>();
    const auto platform = std::make_shared<std::string>();
    const auto limit = std::make_shared<std::string>();
    app->add_option("IMAGE", *reference, "[registry/]name[:tag][@digest]")->required();
    app->add_option("--platform", *platform, "os/architecture, where it is not this machine's");
    app->add_option("--max-unpacked", *limit, limit_help);
    app->footer(
        "Mirrors, insecure registries and CAs: /etc/stack/registries.json or registries.json in "
        "the "
        "state directory, as\n"
        "  {\"mirrors\": {\"docker.io\": [\"https://mirror.example\"]},\n"
        "   \"insecure\": [\"registry.local:5000\"],\n"
        "   \"ca\": {\"registry.example\": \"/etc/ssl/my-ca.pem\"},\n"
        "   \"max_unpacked\": \"20GB\"}");
    app->callback([&context, reference, platform, limit] {
        require_root();
        if (const auto told = only_actions(context, {PullImage{*reference, *platform}})) {
            context.exit_code = *told;
            return;
        }
        std::string result;
        context.exit_code =
            show_fetch(context,
                       image::start_pull(context.paths, *reference, *platform, bytes_of(*limit)),
                       "Image " + *reference,
                       "Pulling",
                       "Pulled",
                       result);
        if (context.exit_code == 0)
            sys::write_out(result + "\n");
    });
}

void add_image_push(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("push", "Send an image to the registry that its name says");
    const auto reference = std::make_shared<std::string>();
    app->add_option("IMAGE", *reference, "[registry/]name[:tag], as `stack image tag` gave it")
        ->required();
    app->footer("A registry that wants to know who pushes: `stack login REGISTRY` first.");
    app->callback([&context, reference] {
        require_root();
        if (const auto told = only_sentences(context, {"push image/" + *reference})) {
            context.exit_code = *told;
            return;
        }
        std::string result;
        context.exit_code = show_fetch(context,
                                       image::start_push(context.paths, *reference),
                                       "Image " + *reference,
                                       "Pushing",
                                       "Pushed",
                                       result);
        if (context.exit_code == 0)
            sys::write_out(result + "\n");
    });
}

void add_image_import(CLI::App& group, Context& context) {
    auto* app =
        group.add_subcommand("import", "Take an image from a file or directory into the store");
    const auto source = std::make_shared<std::string>();
    const auto reference = std::make_shared<std::string>();
    const auto changes = std::make_shared<Strings>();
    const auto limit = std::make_shared<std::string>();
    app->add_option("-c,--change",
                    *changes,
                    "What a tar or rootfs image says of itself, as in a Dockerfile: 'CMD [\"sh\"]' "
                    "(repeatable)")
        ->allow_extra_args(false);
    app->add_option("--max-unpacked", *limit, limit_help);
    app->add_option("SOURCE",
                    *source,
                    "docker-archive:FILE, oci-archive:FILE, oci:DIR, tar:FILE or rootfs:DIR")
        ->required();
    app->add_option("IMAGE", *reference, "The name it gets (default: the one it carries)");
    app->callback([&context, source, reference, changes, limit] {
        require_root();
        const image::ImportRequest import{
            absolute_source(*source), *reference, config_of(*changes), bytes_of(*limit)};
        std::string result;
        context.exit_code = show_fetch(context,
                                       image::start_import(context.paths, import),
                                       "Image " + (reference->empty() ? *source : *reference),
                                       "Importing",
                                       "Imported",
                                       result);
        if (context.exit_code == 0)
            sys::write_out(result + "\n");
    });
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
        const std::string file = from_input ? spooled_input(context) : *input;
        const std::string from =
            source->empty() ? "docker-archive:" + here(file) : absolute_source(*source);
        std::string result;
        context.exit_code =
            show_fetch(context,
                       image::start_import(context.paths, {from, "", {}, bytes_of(*limit)}),
                       "Archive " + (from_input ? "on standard input" : *input + *source),
                       "Loading",
                       "Loaded",
                       result);
        if (from_input)
            sys::remove_file(file);
        if (context.exit_code != 0)
            return;
        for (const auto& name : require_image(image::Store(context.paths), result).references)
            sys::write_out("Loaded image: " + familiar(name) + "\n");
    });
}

void add_image_save(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("save", "Write images to an archive or an OCI directory");
    const auto references = std::make_shared<Strings>();
    const auto target = std::make_shared<std::string>();
    app->add_option("IMAGE", *references, "Names or ids")->required();
    app->add_option("-o,--output",
                    *target,
                    "FILE, docker-archive:FILE, oci-archive:FILE or oci:DIR (default: standard "
                    "output)");
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
