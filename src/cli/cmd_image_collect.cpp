// image collect: a minimal image of programs of this machine.

#include <stack/error.h>

#include "cli/cli11.h"
#include "cli/dry_run.h"
#include "cli/image_changes.h"
#include "cli/image_commands.h"
#include "engine/image/program_files.h"
#include "sys/terminal.h"

#include <filesystem>

namespace stack::cli {
namespace {

struct CollectOptions {
    std::string reference;
    Strings programs;
    Strings changes;
};

std::set<std::string> files_of(const Strings& programs) {
    std::set<std::string> files;
    for (const auto& program : programs)
        files.merge(image::files_of_program(program));
    return files;
}

/// What no change says: the first program is what runs.
ImageConfig config_of(const CollectOptions& options) {
    ImageConfig config = with_changes({}, options.changes);
    if (config.command.empty() && config.entrypoint.empty())
        config.command = {image::path_of_program(options.programs.front())};
    return config;
}

void collect(Context& context, const CollectOptions& options) {
    require_root();
    const auto files = files_of(options.programs);
    if (const auto told = only_sentences(context,
                                         {"make image/" + options.reference + " of " +
                                          std::to_string(files.size()) + " files"})) {
        context.exit_code = *told;
        return;
    }
    image::Store store(context.paths);
    const sys::ScratchDirectory scratch = store.scratch();
    const std::string root = scratch.path() + "/root";
    try {
        image::copy_program_files(files, root);
    } catch (const std::filesystem::filesystem_error& error) {
        give_up("the files of the programs cannot be copied: " + std::string(error.what()));
    }
    std::string id;
    context.exit_code = show_fetch(
        context,
        image::start_import(
            context.paths,
            {"rootfs:" + root, options.reference, config_of(options), "stack image collect", 0}),
        "Image " + options.reference,
        "Collecting",
        "Collected",
        id);
    if (context.exit_code == 0)
        sys::write_out(id + "\n");
}

}  // namespace

void add_image_collect(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand(
        "collect", "Make a minimal image of programs of this machine and the libraries they need");
    const auto options = std::make_shared<CollectOptions>();
    app->add_option("-t,--tag", options->reference, "The name it gets")->required();
    app->add_option("-c,--change",
                    options->changes,
                    "What it says of itself, as in a Dockerfile: 'ENV A=b' (repeatable); without "
                    "CMD and ENTRYPOINT, the first program runs")
        ->allow_extra_args(false);
    app->add_option("PROGRAM", options->programs, "Programs: paths, or names on the PATH")
        ->required();
    app->footer(
        "Scripts bring their interpreter. What a program opens by itself (data, plugins) "
        "is not known: mount it, or COPY it FROM this image into one of a Dockerfile.");
    app->callback([&context, options] { collect(context, *options); });
}

}  // namespace stack::cli
