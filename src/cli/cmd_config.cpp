// config, plan, schema, version.

#include <stack/load.h>
#include <stack/plan.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/local.h"
#include "cli/options.h"
#include "cli/output_file.h"
#include "cli/project.h"
#include "cli/style.h"
#include "engine/image/store.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

struct ConfigOptions {
    std::string format = "yaml";
    std::string output;
    std::string hash;
    Strings services;
    bool quiet = false;
    bool list_services = false;
    bool list_volumes = false;
    bool list_networks = false;
    bool list_images = false;
    bool list_profiles = false;
    bool list_models = false;
    bool list_environment = false;
    bool list_variables = false;
    bool resolve_image_digests = false;
    bool lock_image_digests = false;
    bool no_interpolate = false;
    bool no_normalize = false;
    bool no_consistency = false;
    bool no_path_resolution = false;
    bool no_env_resolution = false;
};

std::string lines(const std::set<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += name + "\n";
    return text;
}

template <class Map>
std::set<std::string> keys(const Map& map) {
    std::set<std::string> names;
    for (const auto& [key, value] : map)
        names.insert(key);
    return names;
}

std::set<std::string> images(const Stack& stack) {
    std::set<std::string> names;
    for (const auto& [name, service] : stack.services)
        names.insert(service.image.empty() ? stack.name + "-" + name : service.image);
    return names;
}

std::set<std::string> profiles(const Stack& stack) {
    std::set<std::string> names;
    for (const auto& [name, service] : stack.services)
        names.insert(service.profiles.begin(), service.profiles.end());
    return names;
}

/// The services of --hash; none: all.
Strings hashed_services(const ConfigOptions& options) {
    return options.hash.empty() || options.hash == "*" ? Strings() : split(options.hash, ',');
}

/// What the containers have in their labels when they are made, by service.
StringMap digests(Stack stack) {
    for (auto& [name, service] : stack.services)
        service.scale = 1;
    StringMap digests;
    for (const auto& planned : plan_up(stack, {}, {}).actions)
        if (const auto* create = std::get_if<CreateContainer>(&planned.action);
            create != nullptr && !create->spec->oneoff)
            digests.emplace(create->spec->service.name, create->spec->config_digest);
    return digests;
}

std::string hashes(const Stack& stack, const Strings& wanted) {
    std::string text;
    for (const auto& [name, digest] : digests(stack))
        if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end())
            text += name + " " + digest + "\n";
    return text;
}

/// NAME, whether it must be set, what it is otherwise.
std::string variables_text(const std::vector<Variable>& variables, const std::string& format) {
    if (format == "json")
        return to_json_text(variables) + "\n";
    std::vector<Strings> rows{{"NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"}};
    for (const auto& variable : variables)
        rows.push_back({variable.name,
                        variable.required ? "true" : "false",
                        variable.default_value,
                        variable.alternate});
    return table(rows);
}

/// Every image by the digest that the store has it under, so that the file means the same tomorrow.
void pin_images(const Context& context, Stack& stack) {
    const image::Store store(context.paths);
    for (auto& [name, service] : stack.services) {
        const bool is_made_here =
            service.image.starts_with("rootfs:") || service.image.starts_with("debootstrap:");
        if (service.image.empty() || is_made_here || service.image.find('@') != std::string::npos)
            continue;
        const auto image = store.find(service.image);
        if (!image)
            give_up("the digest of image " + service.image + " of service " + name +
                    " is not known: it is not in the store; pull it with `stack pull`");
        service.image += "@" + image->manifest_digest;
    }
}

/// A stack file to lay over the others, which pins their images and says nothing else.
Stack only_images(const Stack& stack) {
    Stack pins;
    for (const auto& [name, service] : stack.services)
        if (!service.image.empty())
            pins.services[name].image = service.image;
    return pins;
}

std::string in_format(const ConfigOptions& options,
                      const Stack& stack,
                      const std::string& remainder) {
    return options.format == "json" ? to_json_text(stack, remainder) + "\n"
                                    : to_yaml(stack, remainder);
}

/// `services`, and without what they depend on the printed file could not be loaded.
std::set<std::string> with_dependencies(const Stack& stack, Strings services) {
    std::set<std::string> all;
    while (!services.empty()) {
        const auto found = stack.services.find(services.back());
        services.pop_back();
        if (found == stack.services.end() || !all.insert(found->first).second)
            continue;
        for (const auto& [name, dependency] : found->second.depends_on)
            services.push_back(name);
    }
    return all;
}

std::string config_text(const Context& context,
                        const ConfigOptions& options,
                        Stack stack,
                        const std::string& remainder) {
    check_services(options.services, stack);
    check_services(hashed_services(options), stack);
    if (!options.services.empty()) {
        const auto wanted = with_dependencies(stack, options.services);
        std::erase_if(stack.services,
                      [&](const auto& entry) { return !wanted.contains(entry.first); });
    }
    if (options.list_services)
        return lines(keys(stack.services));
    if (options.list_volumes)
        return lines(keys(stack.volumes));
    if (options.list_networks)
        return lines(keys(stack.networks));
    if (options.list_images)
        return lines(images(stack));
    if (options.list_profiles)
        return lines(profiles(stack));
    if (options.list_models)
        return {};
    if (!options.hash.empty())
        return hashes(as_made(context, std::move(stack)), hashed_services(options));
    if (options.list_environment) {
        StringMap environment = project_environment(context);
        environment["COMPOSE_PROJECT_NAME"] = stack.name;
        std::string text;
        for (const auto& [name, value] : environment)
            text += name + "=" + value + "\n";
        return text;
    }
    if (options.resolve_image_digests || options.lock_image_digests)
        pin_images(context, stack);
    if (options.lock_image_digests)
        return in_format(options, only_images(stack), {});
    return in_format(options, stack, remainder);
}

/// Lists and hashes do not depend on whether ${…} was replaced.
bool prints_the_file(const ConfigOptions& options) {
    return !options.list_services && !options.list_volumes && !options.list_networks &&
           !options.list_images && !options.list_profiles && !options.list_models &&
           !options.list_environment && options.hash.empty() && !options.resolve_image_digests &&
           !options.lock_image_digests;
}

std::string uninterpolated_text(const Context& context,
                                const ConfigOptions& options,
                                LoadAdjustments adjust) {
    adjust.interpolate = false;
    const LoadResult result = load_files(context, adjust);
    if (options.list_variables)
        return variables_text(result.variables, options.format);
    return options.format == "json" ? result.written.json + "\n" : result.written.yaml;
}

void run_config(const Context& context, const ConfigOptions& options) {
    LoadAdjustments adjust;
    adjust.normalize = !options.no_normalize;
    adjust.check_consistency = !options.no_consistency;
    adjust.resolve_paths = !options.no_path_resolution;
    adjust.resolve_environment = !options.no_env_resolution;
    adjust.all_profiles = options.list_profiles;
    adjust.named_services = options.services;
    for (const auto& service : hashed_services(options))
        adjust.named_services.push_back(service);
    std::string text;
    if (options.list_variables || (options.no_interpolate && prints_the_file(options))) {
        text = uninterpolated_text(context, options, adjust);
    } else {
        adjust.remainder = true;
        LoadResult result = load_files(context, adjust);
        check_services(options.services, *result.stack);
        if (!options.quiet)
            text = config_text(context, options, *std::move(result.stack), result.remainder);
    }
    if (options.quiet)
        return;
    if (options.output.empty())
        sys::write_out(text);
    else
        write_output_file(options.output, text);
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
    const auto options = std::make_shared<ConfigOptions>();
    app.add_option("SERVICE", options->services, "Only these services and what they depend on");
    app.add_option("--format", options->format, "yaml or json")
        ->check(CLI::IsMember({"yaml", "json"}));
    app.add_option("-o,--output", options->output, "Write to a file instead of standard output");
    app.add_option("--hash",
                   options->hash,
                   "Print the configuration digests of services (NAME,…), or of all with '*'");
    app.add_flag("-q,--quiet", options->quiet, "Only check; print nothing but complaints");
    app.add_flag("--services", options->list_services, "Print the services' names");
    app.add_flag("--volumes", options->list_volumes, "Print the volumes' names");
    app.add_flag("--networks", options->list_networks, "Print the networks' names");
    app.add_flag("--images", options->list_images, "Print the images' names");
    app.add_flag("--profiles", options->list_profiles, "Print the profiles' names");
    app.add_flag("--models", options->list_models, "Print the models' names: there are none here");
    app.add_flag("--variables", options->list_variables, "Print the variables that the files use");
    app.add_flag("--resolve-image-digests",
                 options->resolve_image_digests,
                 "Pin every image to the digest that the store has");
    app.add_flag("--lock-image-digests",
                 options->lock_image_digests,
                 "Print an override file that pins every image, and nothing else");
    app.add_flag(
        "--environment", options->list_environment, "Print the variables that interpolation sees");
    app.add_flag("--no-interpolate", options->no_interpolate, "Leave ${…} as it is");
    app.add_flag(
        "--no-normalize", options->no_normalize, "Do not add what the file leaves implicit");
    app.add_flag(
        "--no-path-resolution", options->no_path_resolution, "Leave relative paths as they are");
    app.add_flag("--no-env-resolution", options->no_env_resolution, "Do not read env_file");
    app.add_flag("--no-consistency",
                 options->no_consistency,
                 "Do not check that what is referred to exists");
    app.callback([&context, options] { run_config(context, *options); });
}

void add_plan(CLI::App& app, Context& context) {
    const auto options = std::make_shared<UpOptions>();
    const auto format = std::make_shared<std::string>("text");
    add_plan_options(app, *options);
    app.add_option("--format", *format, "text, json, dot, mermaid or svg")
        ->check(CLI::IsMember(plan_formats()));
    add_accepted_flag(app, "--exit-code", "it ends with 2 where there is something to do, always");
    app.callback([&context, options, format] {
        const Stack stack = load_project(context, {.named_services = options->services});
        LocalEngine local(context.paths);
        const Observed observed = local.observe(stack, {.builds = true, .files = true});
        const Plan plan = plan_up(stack, observed, plan_options(*options, stack));
        context.exit_code = show_plan(as_supervised(context, stack, plan), *format);
    });
}

void add_schema(CLI::App& app, Context& /*context*/) {
    app.callback([] { sys::write_out(std::string(schema())); });
}

void add_version(CLI::App& app, Context& /*context*/) {
    const auto format = std::make_shared<std::string>("pretty");
    const auto is_short = std::make_shared<bool>(false);
    add_format(app, *format, {"pretty", "json"}, "-f,--format");
    app.add_flag("--short", *is_short, "Only the number");
    app.callback([format, is_short] {
        if (*is_short)
            sys::write_out(STACK_VERSION "\n");
        else if (is_template(*format))
            sys::write_out(
                formatted(*format, std::vector{nlohmann::json({{"Version", STACK_VERSION}})}));
        else if (*format == "json")
            sys::write_out("{\"version\":\"" STACK_VERSION "\"}\n");
        else
            sys::write_out("stack version " STACK_VERSION "\n");
    });
}

}  // namespace stack::cli
