#pragma once

// What a Dockerfile offers to who builds it: its stages, and what the target can be given.

#include "engine/build/build.h"
#include "engine/build/inputs.h"

#include <string>
#include <vector>

namespace stack::build {

/// A stage. A comment right above its FROM, `# NAME what it is`, describes it.
struct Target {
    std::string name;  // empty without AS
    std::string description;
    std::string base;
    std::string platform;  // as FROM says it
    int line = 0;
    bool is_default = false;

    bool operator==(const Target&) const = default;
};

/// An ARG, described in the same way.
struct Parameter {
    std::string name;
    std::string description;
    std::string value;
    int line = 0;

    bool operator==(const Parameter&) const = default;
};

/// What a mount of a RUN asks for.
struct Wish {
    std::string id;
    bool required = false;
    int line = 0;

    bool operator==(const Wish&) const = default;
};

struct Outline {
    Target target;
    std::vector<Parameter> arguments;  // each once, where it is declared first
    std::vector<Wish> secrets;
    std::vector<Wish> agents;
    std::vector<Wish> caches;
};

[[nodiscard]] std::vector<Target> targets_of(const BuildInputs& inputs);

/// Of all stages that the target needs. `inputs` have no mistakes.
[[nodiscard]] Outline outline_of(const BuildInputs& inputs);

struct Offer {
    std::string file;  // the Dockerfile's name for people
    std::string text;
    Diagnostics mistakes;  // with one, there is nothing more
    std::vector<Target> targets;
    Outline outline;
};

/// Reads the Dockerfile of a build, from afar if need be, and builds nothing. Throws stack::Error.
[[nodiscard]] Offer offer_of(const Paths& paths,
                             const BuildRequest& request,
                             const EventSink& sink);

}  // namespace stack::build
