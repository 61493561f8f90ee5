// image: the store, by the names of images.

#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/image_commands.h"

namespace stack::cli {

void add_image(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    for (const auto add : {add_image_ls,
                           add_image_build,
                           add_image_pull,
                           add_image_push,
                           add_image_tag,
                           add_image_rm,
                           add_image_inspect,
                           add_image_history,
                           add_image_save,
                           add_image_load,
                           add_image_export,
                           add_image_import,
                           add_image_collect,
                           add_image_prune,
                           add_image_verify})
        add(app, context);
}

}  // namespace stack::cli
