// supervise, build-worker, debootstrap-worker: the processes that other commands start.

#include "cli/cli11.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/image/debootstrap_worker.h"
#include "supervise/server.h"
#include "sys/process.h"

namespace stack::cli {

void add_supervise(CLI::App& app, Context& context) {
    const auto project = std::make_shared<std::string>();
    const auto ready_fd = std::make_shared<int>(-1);
    app.add_option("PROJECT", *project, "The stack's name")->required();
    app.add_option("--ready-fd", *ready_fd, "Descriptor that is told when the supervisor listens");
    app.callback([&context, project, ready_fd] {
        require_root();
        constexpr int outlives_containers = -500;  // as Docker's daemon
        sys::set_own_oom_score(outlives_containers);
        context.exit_code = run_supervisor(
            context.paths,
            *project,
            [&context](boost::asio::io_context& loop) {
                return engine::make_engine(loop, context.paths);
            },
            *ready_fd);
    });
}

void add_build_worker(CLI::App& app, Context& context) {
    app.callback([&context] {
        sys::set_own_oom_score(0);  // not the supervisor's
        context.exit_code = engine::run_build_worker(context.paths);
    });
}

void add_debootstrap_worker(CLI::App& app, Context& context) {
    const auto reference = std::make_shared<std::string>();
    const auto platform = std::make_shared<std::string>();
    app.add_option("IMAGE", *reference, "debootstrap:SUITE…")->required();
    app.add_option("PLATFORM", *platform, "os/architecture");
    app.callback([&context, reference, platform] {
        sys::set_own_oom_score(0);
        context.exit_code = image::run_debootstrap_worker(context.paths, *reference, *platform);
    });
}

}  // namespace stack::cli
