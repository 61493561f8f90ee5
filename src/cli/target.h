#pragma once

// Which containers a command is about. A verb is written once and has two faces: `stack VERB
// SERVICE` names containers by the service of a stack, `stack container VERB NAME` by their own
// name or id, of whichever stack.

#include <stack/observed.h>

#include "cli/context.h"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace stack::cli {

enum class Naming { service, container };

/// One container, as the command line names it.
struct Target {
    Naming naming = Naming::service;
    std::string name;
    int index = 0;  // which of the service's containers; 0: the first
};

/// Declares the argument, and --index where it is a service.
void declare_target(CLI::App& app, Target& target);

/// These give up with a sentence where there is none.
[[nodiscard]] ObservedContainer find_target(const Context& context, const Target& target);
/// One that is up, be it paused.
[[nodiscard]] ObservedContainer find_up_target(const Context& context, const Target& target);
/// One that runs. `purpose`, as "exec": what a paused one must be unpaused for.
[[nodiscard]] ObservedContainer find_running_target(const Context& context,
                                                    const Target& target,
                                                    const std::string& purpose);

/// Several containers, as the command line names them.
struct Targets {
    Naming naming = Naming::service;
    Strings names;  // services: none means all
    bool with_oneoff = false;
};

/// Declares the arguments. Containers must be named, services need not.
void declare_targets(CLI::App& app, Targets& targets);

/// Gives up with a sentence where one of the names is nobody's.
[[nodiscard]] std::vector<ObservedContainer> find_targets(const Context& context,
                                                          const Targets& targets);

/// Of containers that are named one by one, those that there are: each is spoken for by its own
/// name, and the others have done to them what they were named for.
struct Found {
    std::vector<ObservedContainer> containers;
    bool all = true;         // every name was somebody's
    bool ambiguous = false;  // one began several ids
};

/// Says a sentence of each name that is not one container's.
[[nodiscard]] Found find_present(const Context& context, const Targets& targets);

/// Every container of the instance, of whichever stack, in the order of their creation.
[[nodiscard]] std::vector<ObservedContainer> all_containers(const Context& context);

}  // namespace stack::cli
