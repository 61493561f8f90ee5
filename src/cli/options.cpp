#include "cli/options.h"

#include "base/random.h"
#include "base/text.h"
#include "cli/cli11.h"
#include "cli/log_reader.h"
#include "sys/terminal.h"

#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

namespace stack::cli {
namespace {

/// What CLI11 shows to those alone who derive from it.
struct OpenApp : CLI::App {
    static std::vector<CLI::Option_p>& options_of(CLI::App& app) { return app.*&OpenApp::options_; }
};

}  // namespace

void declare_apart(CLI::App& app, const std::function<void()>& declare) {
    auto& options = OpenApp::options_of(app);
    auto earlier = std::exchange(options, {});
    declare();
    earlier.insert(earlier.end(),
                   std::make_move_iterator(options.begin()),
                   std::make_move_iterator(options.end()));
    options = std::move(earlier);
}

void add_plan_options(CLI::App& app, UpOptions& options) {
    app.add_option("SERVICE", options.services, "Only these services and what they depend on");
    app.add_flag("--build", options.build, "Build images first, where their sources changed");
    app.add_flag("--no-build", options.no_build, "Never build, even where an image is missing");
    app.add_option("--pull", options.pull, "Pull images: always, missing or never; or build them")
        ->type_name("always|missing|never|build")
        ->check(CLI::IsMember({"always", "missing", "if_not_present", "never", "build", "policy"}));
    app.add_flag(
        "--force-recreate", options.force_recreate, "Recreate containers that need not be");
    app.add_flag("--no-recreate", options.no_recreate, "Leave containers that exist as they are");
    app.add_flag(
        "--always-recreate-deps", options.always_recreate_deps, "Recreate dependencies, too");
    app.add_flag("--no-deps", options.no_deps, "Leave the services' dependencies alone");
    app.add_flag("--no-start", options.no_start, "Create, but do not start");
    app.add_option("--scale", options.scale, "Containers of a service: SERVICE=N (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("--remove-orphans",
                 options.remove_orphans,
                 "Remove containers of services that left the file")
        ->envname("COMPOSE_REMOVE_ORPHANS");
    app.add_flag("-V,--renew-anon-volumes",
                 options.renew_anon_volumes,
                 "Give recreated containers new anonymous volumes");
    app.add_option("-t,--timeout",
                   options.timeout,
                   "Seconds to wait for a container to stop before it is killed");
}

void add_accepted_flag(CLI::App& app, const std::string& names, const std::string& why) {
    app.add_flag_function(
        names, [](std::int64_t) {}, "Accepted for compatibility: " + why);
}

void add_accepted_option(CLI::App& app, const std::string& names, const std::string& why) {
    app.add_option_function<std::string>(
        names, [](const std::string&) {}, "Accepted for compatibility: " + why);
}

void add_refused_option(CLI::App& app, const std::string& name, const std::string& why) {
    app.add_option_function<std::string>(
        name,
        [name, why](const std::string& value) {
            if (value != "false")
                give_up(name + ": " + why);
        },
        "Refused: " + why);
}

namespace {

bool is_switched_on(const std::string& variable) {
    const auto environment = sys::environment();
    const auto found = environment.find(variable);
    return found != environment.end() &&
           (found->second == "1" || to_lower(found->second) == "true");
}

}  // namespace

PlanOptions plan_options(const UpOptions& options, const Stack& stack) {
    if ((options.build || options.pull == "build") && options.no_build)
        give_up(std::string(options.build ? "--build" : "--pull build") +
                " and --no-build exclude each other");
    if (options.force_recreate && options.no_recreate)
        give_up("--force-recreate and --no-recreate exclude each other");
    check_services(options.services, stack);
    PlanOptions plan;
    plan.services = options.services;
    plan.scale = scale_of(options.scale);
    for (const auto& [service, count] : plan.scale)
        check_services({service}, stack);
    plan.recreate = options.force_recreate ? RecreatePolicy::always
                    : options.no_recreate  ? RecreatePolicy::never
                                           : RecreatePolicy::diverged;
    plan.recreate_dependencies = options.always_recreate_deps;
    plan.no_deps = options.no_deps;
    plan.no_start = options.no_start;
    plan.build = options.build || options.pull == "build";
    plan.no_build = options.no_build;
    plan.pull = options.pull == "policy" || options.pull == "build" ? ""
                : options.pull == "if_not_present"                  ? "missing"
                                                                    : options.pull;
    plan.remove_orphans = options.remove_orphans;
    plan.ignore_orphans = is_switched_on("COMPOSE_IGNORE_ORPHANS");
    plan.renew_anonymous_volumes = options.renew_anon_volumes;
    if (options.renew_anon_volumes)
        plan.renew_salt = random_hex(16);
    plan.timeout = seconds(options.timeout);
    plan.now = std::chrono::system_clock::now();
    return plan;
}

std::string time_option(const std::string& text, const char* name) {
    if (text.empty())
        return {};
    const auto time = parse_time(text);
    if (!time)
        give_up(std::string(name) +
                " wants a time such as 10m, 2026-01-02T03:04:05Z or Unix seconds, not \"" + text +
                "\"");
    return *time;
}

void refuse_service(const std::string& service, const Strings& known) {
    const std::string meant = closest(service, known);
    const std::string others = known.empty() ? "" : " (there are " + join(known, ", ") + ")";
    give_up("no such service: " + service +
            (meant.empty() ? others : "; did you mean " + meant + "?"));
}

void check_services(const Strings& services, const Stack& stack) {
    Strings known;
    for (const auto& [name, service] : stack.services)
        known.push_back(name);
    for (const auto& service : services)
        if (!stack.services.contains(service))
            refuse_service(service, known);
}

std::optional<Duration> seconds(const std::optional<double>& value) {
    if (!value)
        return std::nullopt;
    if (*value < 0)
        return std::chrono::hours(24 * 365 * 100);  // for as long as it takes, as docker has it
    return Duration(std::llround(*value * 1e9));
}

std::map<std::string, int> scale_of(const Strings& pairs) {
    std::map<std::string, int> scale;
    for (const auto& pair : pairs) {
        const auto [service, count] = split_once(pair, '=');
        const auto number = parse_number<int>(count);
        if (service.empty() || !number || *number < 0)
            give_up("\"" + pair + "\" is not a scale: SERVICE=NUMBER is expected, such as web=3");
        scale[service] = *number;
    }
    return scale;
}

}  // namespace stack::cli
