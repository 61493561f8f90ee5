#include "cli/build_output.h"

#include "base/text.h"
#include "cli/image_commands.h"
#include "cli/output_file.h"
#include "cli/unpack.h"
#include "engine/image/layer_writer.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace stack::cli {
namespace {

std::string here(const std::string& path) {
    return sys::absolute_path(path, sys::current_directory());
}

BuildOutput::Kind kind_of(const std::string& type) {
    if (type == "local")
        return BuildOutput::Kind::directory;
    if (type == "tar")
        return BuildOutput::Kind::archive;
    if (type == "image" || type == "docker")
        return BuildOutput::Kind::image;
    give_up("--output type=" + type +
            ": there are local, tar, image and docker; `stack image save` writes the others");
}

}  // namespace

BuildOutput parse_build_output(const std::string& text) {
    if (text == "-")
        return {BuildOutput::Kind::archive, "-"};
    if (text.find('=') == std::string::npos)
        return {BuildOutput::Kind::directory, text};
    BuildOutput output;
    for (const auto& part : split(text, ',')) {
        const auto [key, value] = split_once(part, '=');
        if (key == "type")
            output.kind = kind_of(value);
        else if (key == "dest")
            output.target = value;
        else
            give_up("--output wants DIR, - or type=local,dest=DIR, not \"" + text + "\"");
    }
    const bool is_image = output.kind == BuildOutput::Kind::image;
    if (output.kind == BuildOutput::Kind::archive && output.target.empty())
        output.target = "-";
    if (is_image != output.target.empty())
        give_up("--output " + text +
                (is_image
                     ? ": an image goes into the store: leave dest= away, and see `stack image "
                       "save`"
                     : ": dest=DIR is missing"));
    return output;
}

void write_build_output(const Context& context,
                        const std::string& image,
                        const BuildOutput& output) {
    if (output.kind == BuildOutput::Kind::image)
        return;
    image::Store store(context.paths);
    const auto built = require_image(store, image);
    store.hold(built.layers);
    const sys::Fd root = sys::merged_view(store.lower_directories(built));
    if (output.kind == BuildOutput::Kind::directory) {
        sys::ensure_directory(here(output.target));
        // What is there keeps its owner and mode where it is a directory; files are replaced.
        const sys::Fd directory = sys::open_directory(here(output.target));
        unpack([&](const sys::Fd& archive) { return image::start_merge(archive, directory, ""); },
               [&](const image::ByteSink& archive) { image::write_layer(root, archive); });
        return;
    }
    OutputFile file(output.target);
    image::write_layer(root, [&](std::string_view bytes) { sys::write_all(file.file(), bytes); });
    file.finish();
}

}  // namespace stack::cli
