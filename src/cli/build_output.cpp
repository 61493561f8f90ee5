#include "cli/build_output.h"

#include "base/text.h"
#include "cli/annotation.h"
#include "cli/field_list.h"
#include "cli/here.h"
#include "cli/image_commands.h"
#include "cli/output_file.h"
#include "cli/unpack.h"
#include "engine/image/layer_writer.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/umask.h"

namespace stack::cli {
namespace {

constexpr const char* known_types = "there are local, tar, oci, docker, image and registry";

/// What `type=` says; what it means without `dest=` is seen later.
void set_type(const std::string& type, BuildOutput& output) {
    using Kind = BuildOutput::Kind;
    output.push = output.push || type == "registry";
    if (type == "local")
        output.kind = Kind::directory;
    else if (type == "tar")
        output.kind = Kind::archive;
    else if (type == "oci" || type == "docker")
        output.kind = Kind::saved_image;
    else if (type != "image" && type != "registry")
        give_up("--output type=" + type + ": " + known_types);
}

bool is_true(const std::string& part, const std::string& value) {
    if (value != "true" && value != "false")
        give_up("--output: `" + part + "` is neither true nor false");
    return value == "true";
}

/// Fills in what `text` leaves open. Gives up where two parts of it do not go together.
void complete(const std::string& text, const std::string& type, BuildOutput& output) {
    using Kind = BuildOutput::Kind;
    if (type == "docker" && output.target.empty())
        output.kind = Kind::image;  // which is to be loaded: it is in the store
    if (output.target.empty() && (output.kind == Kind::archive || output.kind == Kind::saved_image))
        output.target = "-";
    const bool is_image = output.kind == Kind::image;
    if (is_image && !output.target.empty())
        give_up("--output " + text +
                ": this goes into the store; type=oci,dest=FILE writes a file");
    if (!is_image && output.target.empty())
        give_up("--output " + text + ": dest=DIR is missing");
    if (output.kind == Kind::saved_layout && output.target == "-")
        give_up("--output " + text + ": a directory cannot go to standard output: dest=DIR");
    if (!output.annotations.empty() &&
        (output.kind == Kind::directory || output.kind == Kind::archive))
        give_up("--output " + text +
                ": annotations are an image's, and these are its files; type=oci has both");
    if (!is_image && output.push)
        give_up("--output " + text + ": type=image and type=registry can be pushed");
}

}  // namespace

BuildOutput parse_build_output(const std::string& text) {
    using Kind = BuildOutput::Kind;
    if (text == "-")
        return {.kind = Kind::archive, .target = "-"};
    if (text.find('=') == std::string::npos)
        return {.kind = Kind::directory, .target = text};
    BuildOutput output;
    std::string type;
    bool packed = true;
    for (const auto& part : parts_of("--output", text)) {
        const auto [key, value] = split_once(part, '=');
        if (key == "type")
            set_type(type = value, output);
        else if (key == "dest")
            output.target = value;
        else if (key == "name")
            output.names.push_back(value);
        else if (key == "push")
            output.push = is_true(part, value);
        else if (key == "tar")
            packed = is_true(part, value);
        else if (is_annotation_field(key))
            output.annotations.push_back(part);
        else
            give_up("--output wants DIR, - or type=TYPE,dest=PATH, not \"" + part + "\" in \"" +
                    text + "\"; " + known_types);
    }
    if (!packed && output.kind == Kind::saved_image)
        output.kind = Kind::saved_layout;
    complete(text, type, output);
    return output;
}

namespace {

/// What `dest=` names.
sys::Fd ensure_target(const std::string& path) {
    const sys::CallersUmask callers;
    sys::ensure_directory(here(path));
    return sys::open_directory(here(path));
}

void write_files(const image::Store& store, const image::Image& image, const BuildOutput& output) {
    const sys::Fd root = sys::merged_view(store.lower_directories(image));
    if (output.kind == BuildOutput::Kind::directory) {
        // What is there keeps its owner and mode where it is a directory; files are replaced.
        const sys::Fd directory = ensure_target(output.target);
        unpack([&](const sys::Fd& archive) { return image::start_merge(archive, directory, ""); },
               [&](const image::ByteSink& archive) { image::write_layer(root, archive); });
        return;
    }
    OutputFile file(output.target);
    image::write_layer(root, [&](std::string_view bytes) { sys::write_all(file.file(), bytes); });
    file.finish();
}

int save(const Context& context, const Strings& names, const sys::Fd& target) {
    std::string result;
    return show_fetch(context,
                      image::start_save(context.paths, names, target),
                      "Image " + names.front(),
                      "Saving",
                      "Saved",
                      result);
}

}  // namespace

int write_build_output(const Context& context,
                       const std::string& image,
                       const Strings& names,
                       const BuildOutput& output) {
    using Kind = BuildOutput::Kind;
    if (output.kind == Kind::image)
        return 0;
    image::Store store(context.paths);
    const auto built = require_image(store, image);
    store.hold(built.layers);
    const Strings references = names.empty() ? Strings{image} : names;
    if (output.kind == Kind::saved_layout)
        return save(context, references, ensure_target(output.target));
    if (output.kind == Kind::saved_image) {
        OutputFile file(output.target);
        const int status = save(context, references, file.file());
        if (status == 0)
            file.finish();
        return status;
    }
    write_files(store, built, output);
    return 0;
}

}  // namespace stack::cli
