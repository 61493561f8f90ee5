// image: the store, by the names of images. container: containers by their own names.

#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/image_commands.h"
#include "cli/local.h"
#include "cli/style.h"
#include "engine/runtime/runtime.h"
#include "sys/terminal.h"

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

constexpr std::size_t short_id = 12;

}  // namespace

void add_image(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    for (const auto add : {add_image_ls,
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
                           add_image_prune,
                           add_image_verify})
        add(app, context);
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
