// build, pull, push: the images of services, without touching containers.

#include <stack/error.h>

#include "base/text.h"
#include "cli/build_call.h"
#include "cli/build_output.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/image_commands.h"
#include "cli/local.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/project.h"
#include "sys/terminal.h"

#include <algorithm>
#include <set>

namespace stack::cli {
namespace {

struct BuildOptions {
    Strings services;
    Strings args;
    Strings agents;
    bool no_cache = false;
    bool pull = false;
    bool quiet = false;
    bool with_dependencies = false;
    bool check = false;
    bool push = false;
};

struct PullOptions {
    Strings services;
    bool ignore_failures = false;
    bool ignore_buildable = false;
    std::string policy = "always";  // missing: not what is there
    bool include_deps = false;
    bool quiet = false;
};

bool chosen(const Strings& services, const std::string& name) {
    return services.empty() || std::find(services.begin(), services.end(), name) != services.end();
}

void add_dependencies(const Stack& stack, Strings& services) {
    for (std::size_t i = 0; i < services.size(); ++i)
        for (const auto& [name, dependency] : stack.services.at(services[i]).depends_on)
            if (std::find(services.begin(), services.end(), name) == services.end() &&
                stack.services.contains(name))
                services.push_back(name);
}

/// Carries the plan out with progress; returns the exit code.
int perform_all(const Context& context, LocalEngine& local, Plan plan, const std::string& title) {
    const auto progress = make_progress(context.globals, title);
    const bool succeeded = local.carry_out(
        std::move(plan),
        [&](const Event& event) { progress->show(event); },
        context.globals.parallel);
    progress->finish();
    return succeeded ? 0 : 1;
}

std::vector<Action> actions_of(const Plan& plan) {
    std::vector<Action> actions;
    for (const auto& planned : plan.actions)
        actions.push_back(planned.action);
    return actions;
}

int check_all(const Context& context, const std::vector<Action>& actions) {
    int status = 0;
    for (const auto& action : actions) {
        const auto& build = std::get<BuildImage>(action);
        build::BuildRequest request;
        request.build = *build.build;
        request.environment = sys::environment();
        status = std::max(status, answer(context, request, {BuildCall::Method::check}));
    }
    return status;
}

void run_push(Context& context, PullOptions options);

void run_build(Context& context, BuildOptions options) {
    require_root();
    const Stack stack = load_project(context, {.named_services = options.services});
    check_services(options.services, stack);
    if (options.with_dependencies)
        add_dependencies(stack, options.services);
    LocalEngine local(context.paths);
    Observed observed;
    if (!options.check)
        observed = local.observe(stack, {.builds = true});
    Strings wanted;
    for (const auto& [name, service] : stack.services)
        if (service.build && chosen(options.services, name))
            wanted.push_back(name);
    Plan plan = plan_build(stack, wanted);
    if (!plan.errors.empty())
        throw Error(plan.errors.front());
    for (auto& planned : plan.actions) {
        auto& action = std::get<BuildImage>(planned.action);
        action.no_cache = action.no_cache || options.no_cache;
        action.pull = action.pull || options.pull;
        for (const auto& argument : options.args) {
            const auto [key, value] = split_once(argument, '=');
            action.build->args[key] = argument == key ? std::nullopt : std::optional(value);
        }
        const Strings agents = agents_of(options.agents);
        action.build->ssh.insert(action.build->ssh.begin(), agents.begin(), agents.end());
        for (const auto& build : observed.builds)
            if (build.service == action.service && options.args.empty())
                action.source_digest = build.source_digest;
    }
    if (plan.actions.empty())
        warn("no service to build");
    const std::vector<Action> actions = actions_of(plan);
    if (options.check) {
        context.exit_code = check_all(context, actions);
        return;
    }
    if (const auto told = only_actions(context, actions)) {
        context.exit_code = *told;
        return;
    }
    Context quiet = context;
    if (options.quiet)
        quiet.globals.progress = "quiet";
    context.exit_code = perform_all(quiet, local, std::move(plan), "Building");
    if (options.push && context.exit_code == 0)
        run_push(context, {.services = options.services, .quiet = options.quiet});
}

void run_pull(Context& context, PullOptions options) {
    require_root();
    const Stack stack = load_project(context, {.named_services = options.services});
    check_services(options.services, stack);
    if (options.include_deps)
        add_dependencies(stack, options.services);
    const image::Store store(context.paths);
    Plan plan;
    std::set<std::string> seen;
    const auto add = [&](const Service& service, const std::string& image, bool optional) {
        const bool is_missing_only =
            options.policy == "missing" || service.pull_policy == "missing";
        if (image.empty() || image.starts_with("rootfs:") || !seen.insert(image).second ||
            (is_missing_only && store.find(image)))
            return;
        plan.actions.push_back(
            {.action = PullImage{.reference = image, .platform = service.platform},
             .resource = "image/" + image,
             .reason = "asked for",
             .optional = options.ignore_failures || optional});
    };
    for (const auto& [name, service] : stack.services) {
        if (!chosen(options.services, name))
            continue;
        if (service.pull_policy != "never" && service.pull_policy != "build" &&
            !(options.ignore_buildable && service.build))
            add(service, service.image, static_cast<bool>(service.build));
        for (const auto& mount : service.volumes)
            if (mount.type == MountType::image && !stack.services.contains(mount.source))
                add(service, mount.source, false);
    }
    if (const auto told = only_actions(context, actions_of(plan))) {
        context.exit_code = *told;
        return;
    }
    LocalEngine local(context.paths);
    Context quiet = context;
    if (options.quiet)
        quiet.globals.progress = "quiet";
    context.exit_code = perform_all(quiet, local, std::move(plan), "Pulling");
}

/// The images that services build; those that come from elsewhere are there already.
void run_push(Context& context, PullOptions options) {
    require_root();
    const Stack stack = load_project(context, {.named_services = options.services});
    check_services(options.services, stack);
    if (options.include_deps)
        add_dependencies(stack, options.services);
    Context quiet = context;
    if (options.quiet)
        quiet.globals.progress = "quiet";
    std::set<std::string> seen;
    for (const auto& [name, service] : stack.services) {
        if (!service.build || !chosen(options.services, name))
            continue;
        if (service.image.empty()) {
            warn("service \"" + name + "\" has no `image`, which says where to push: skipped");
            continue;
        }
        Strings names{service.image};
        names.insert(names.end(), service.build->tags.begin(), service.build->tags.end());
        for (const auto& image : names) {
            if (!seen.insert(image).second || context.globals.dry_run)
                continue;
            const int status = push_images(quiet, {image}).status;
            if (status != 0 && !options.ignore_failures) {
                context.exit_code = status;
                return;
            }
        }
    }
    Strings sentences;
    for (const auto& image : seen)
        sentences.push_back("push image/" + image);
    if (const auto told = only_sentences(context, sentences))
        context.exit_code = *told;
    else if (seen.empty())
        warn("no service builds an image that has a name to push it by");
}

}  // namespace

void add_build(CLI::App& app, Context& context) {
    const auto options = std::make_shared<BuildOptions>();
    app.add_option("SERVICE", options->services, "Only these services");
    app.add_option(
           "--build-arg",
           options->args,
           "Set a build argument: NAME=VALUE, or NAME as the environment has it (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("--no-cache", options->no_cache, "Run every step");
    app.add_flag("--pull", options->pull, "Pull base images, also where they are here");
    app.add_flag(
        "--with-dependencies", options->with_dependencies, "Also the services they depend on");
    app.add_flag("--push", options->push, "Send the images to their registries, too");
    app.add_flag("--check",
                 options->check,
                 "Look for what the Dockerfiles had better not say; build nothing");
    app.add_flag("-q,--quiet", options->quiet, "No progress");
    app.add_option(
           "--progress", context.globals.progress, "As before the verb: how progress is shown")
        ->check(CLI::IsMember({"auto", "tty", "plain", "json", "quiet"}));
    for (const auto* flag : {"--parallel", "--compress", "--force-rm", "--no-rm"})
        add_accepted_flag(app, flag, "it has been without effect for long");
    add_accepted_option(app, "--builder", "there is one builder");
    add_accepted_option(app, "-m,--memory", "the steps of a build are not limited");
    app.add_option("--ssh",
                   options->agents,
                   "ssh agent for RUN --mount=type=ssh: default ($SSH_AUTH_SOCK), ID=SOCKET or "
                   "ID=KEY,… (repeatable)")
        ->allow_extra_args(false);
    add_attestation_options(app);
    app.add_flag_function(
        "--print",
        [](std::int64_t) { give_up("--print: builds have no bake file; see `stack config`"); },
        "Refused: `stack config` shows what is built");
    app.callback([&context, options] { run_build(context, *options); });
}

void add_pull(CLI::App& app, Context& context) {
    const auto options = std::make_shared<PullOptions>();
    app.add_option("SERVICE", options->services, "Only these services");
    app.add_option("--policy", options->policy, "always (default), or missing: not what is here")
        ->check(CLI::IsMember({"always", "missing"}));
    app.add_flag("--ignore-pull-failures",
                 options->ignore_failures,
                 "Go on where an image cannot be pulled");
    app.add_flag(
        "--ignore-buildable", options->ignore_buildable, "Not the images that can be built");
    app.add_flag("--include-deps", options->include_deps, "Also the services they depend on");
    app.add_flag("-q,--quiet", options->quiet, "No progress");
    app.callback([&context, options] { run_pull(context, *options); });
}

void add_push(CLI::App& app, Context& context) {
    const auto options = std::make_shared<PullOptions>();
    app.add_option("SERVICE", options->services, "Only these services");
    app.add_flag("--ignore-push-failures",
                 options->ignore_failures,
                 "Go on where an image cannot be pushed");
    app.add_flag("--include-deps", options->include_deps, "Also the services they depend on");
    app.add_flag("-q,--quiet", options->quiet, "No progress");
    app.callback([&context, options] { run_push(context, *options); });
}

}  // namespace stack::cli
