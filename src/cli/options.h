#pragma once

// Options that several commands share.

#include <stack/plan.h>

#include "cli/context.h"

#include <functional>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace stack::cli {

/// What decides the plan of `up`, `plan` and `create`.
struct UpOptions {
    Strings services;
    Strings scale;  // SERVICE=N
    std::string pull;
    std::optional<double> timeout;  // seconds
    bool build = false;
    bool no_build = false;
    bool force_recreate = false;
    bool no_recreate = false;
    bool always_recreate_deps = false;
    bool no_deps = false;
    bool no_start = false;
    bool remove_orphans = false;
    bool renew_anon_volumes = false;
};

void add_plan_options(CLI::App& app, UpOptions& options);

/// Does what `declare` does, which adds options to `app`. CLI11 compares the names of each new
/// option with those of every other: of a command that has a hundred, that was half of what the
/// command computed. Here they are compared among themselves alone; a test compares them all.
void declare_apart(CLI::App& app, const std::function<void()>& declare);

/// Declares a flag that changes nothing here, because what it asks for is the default.
void add_accepted_flag(CLI::App& app, const std::string& names, const std::string& why);

/// The same for an option with a value.
void add_accepted_option(CLI::App& app, const std::string& names, const std::string& why);

/// Declares an option that gives up, with the reason, unless its value asks for nothing ("false").
void add_refused_option(CLI::App& app, const std::string& name, const std::string& why);

/// Gives up where they contradict each other or name services that are not in `stack`.
[[nodiscard]] PlanOptions plan_options(const UpOptions& options, const Stack& stack);

/// Gives up: `service` is none of the `known` ones.
[[noreturn]] void refuse_service(const std::string& service, const Strings& known);
/// Gives up where one is not in `stack`.
void check_services(const Strings& services, const Stack& stack);

/// The time (RFC 3339, UTC) that the option `name` gives; empty for an empty one. Gives up where it
/// is none.
[[nodiscard]] std::string time_option(const std::string& text, const char* name);

[[nodiscard]] std::optional<Duration> seconds(const std::optional<double>& value);

/// `web=3` pairs. Gives up where one is malformed.
[[nodiscard]] std::map<std::string, int> scale_of(const Strings& pairs);

}  // namespace stack::cli
