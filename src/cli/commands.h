#pragma once

// The commands, each in the file of its noun. A command is told its options only when it is the one
// that runs: the others cost their name.

#include "cli/context.h"

#include <vector>

namespace CLI {
class App;
}

namespace stack::cli {

/// Declares the command's options on `app` and what it does, as its callback.
using AddCommand = void (*)(CLI::App& app, Context& context);

struct Command {
    const char* name;
    const char* group;  // heading in the help; empty: not shown
    const char* summary;
    AddCommand add;
};

[[nodiscard]] const std::vector<Command>& commands();
/// Those of `stack container`.
[[nodiscard]] const std::vector<Command>& container_commands();

void add_up(CLI::App& app, Context& context);
void add_create(CLI::App& app, Context& context);
void add_watch(CLI::App& app, Context& context);
void add_enable(CLI::App& app, Context& context);
void add_disable(CLI::App& app, Context& context);
void add_resume(CLI::App& app, Context& context);
void add_down(CLI::App& app, Context& context);
void add_start(CLI::App& app, Context& context);
void add_stop(CLI::App& app, Context& context);
void add_restart(CLI::App& app, Context& context);
void add_kill(CLI::App& app, Context& context);
void add_rm(CLI::App& app, Context& context);
void add_pause(CLI::App& app, Context& context);
void add_unpause(CLI::App& app, Context& context);
void add_scale(CLI::App& app, Context& context);
void add_wait(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_lint(CLI::App& app, Context& context);
void add_plan(CLI::App& app, Context& context);
void add_ps(CLI::App& app, Context& context);
void add_ls(CLI::App& app, Context& context);
void add_images(CLI::App& app, Context& context);
void add_volumes(CLI::App& app, Context& context);
void add_volume(CLI::App& app, Context& context);
void add_port(CLI::App& app, Context& context);
void add_top(CLI::App& app, Context& context);
void add_events(CLI::App& app, Context& context);
void add_stats(CLI::App& app, Context& context);
void add_container_stats(CLI::App& app, Context& context);
void add_logs(CLI::App& app, Context& context);
void add_exec(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_cp(CLI::App& app, Context& context);
void add_attach(CLI::App& app, Context& context);
void add_export(CLI::App& app, Context& context);
void add_commit(CLI::App& app, Context& context);
void add_build(CLI::App& app, Context& context);
void add_pull(CLI::App& app, Context& context);
void add_push(CLI::App& app, Context& context);
void add_login(CLI::App& app, Context& context);
void add_logout(CLI::App& app, Context& context);
void add_system(CLI::App& app, Context& context);
void add_image(CLI::App& app, Context& context);
void add_builder(CLI::App& app, Context& context);
void add_container(CLI::App& app, Context& context);
void add_network(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_schema(CLI::App& app, Context& context);
void add_container_run(CLI::App& app, Context& context);
void add_container_create(CLI::App& app, Context& context);
void add_container_start(CLI::App& app, Context& context);
void add_container_stop(CLI::App& app, Context& context);
void add_container_restart(CLI::App& app, Context& context);
void add_container_kill(CLI::App& app, Context& context);
void add_container_pause(CLI::App& app, Context& context);
void add_container_unpause(CLI::App& app, Context& context);
void add_container_wait(CLI::App& app, Context& context);
void add_container_rename(CLI::App& app, Context& context);
void add_container_update(CLI::App& app, Context& context);
void add_container_rm(CLI::App& app, Context& context);
void add_container_prune(CLI::App& app, Context& context);
void add_container_ls(CLI::App& app, Context& context);
void add_container_inspect(CLI::App& app, Context& context);
void add_container_logs(CLI::App& app, Context& context);
void add_container_top(CLI::App& app, Context& context);
void add_container_port(CLI::App& app, Context& context);
void add_container_exec(CLI::App& app, Context& context);
void add_container_attach(CLI::App& app, Context& context);
void add_container_diff(CLI::App& app, Context& context);
void add_container_export(CLI::App& app, Context& context);
void add_container_commit(CLI::App& app, Context& context);
void add_container_cp(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);
void add_supervise(CLI::App& app, Context& context);
void add_build_worker(CLI::App& app, Context& context);
void add_debootstrap_worker(CLI::App& app, Context& context);

}  // namespace stack::cli
