#pragma once

// What an image is after an instruction: a value. Instructions that only describe are applied here,
// by pure functions; those that write a layer (RUN, COPY, ADD, WORKDIR) are the builder's.

#include <stack/model.h>
#include <stack/observed.h>

#include "base/expected.h"
#include "engine/build/dockerfile.h"
#include "model/image.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stack::build {

/// One line of `image history`.
struct History {
    std::string created_by;
    bool empty_layer = true;
};

struct State {
    ImageConfig config;
    std::string base_json;         // configuration of the image it began with; empty for scratch
    Strings layers;                // diffIDs, base first
    std::vector<History> history;  // beyond the base's
    std::vector<std::pair<std::string, std::optional<std::string>>>
        arguments;  // declared in this stage
    std::string author;
    bool command_is_own = false;  // CMD was given in this stage, so ENTRYPOINT leaves it
};

/// What instructions of a stage see from outside it.
struct Scope {
    StringMap globals;  // ARGs before the first FROM
    StringMap given;    // --build-arg
    char escape = '\\';
};

/// The state with which `FROM scratch` begins.
[[nodiscard]] State scratch_state(const std::string& platform);

/// What `$NAME` means now: ARGs of the stage, ENV above them.
[[nodiscard]] StringMap variables_of(const State& state);

/// The environment of a RUN: ENV, ARGs that it does not hide, and a PATH. Proxy arguments that were
/// given without being declared are in it, too, where `with_proxies`: they reach the step but not
/// its cache key.
[[nodiscard]] Strings environment_of(const State& state, const Scope& scope, bool with_proxies);

/// Applies an instruction that writes no layer. For one that does: nothing but its history, which
/// the builder adds.
[[nodiscard]] Expected<State> apply(State state,
                                    const Instruction& instruction,
                                    const Scope& scope);

/// The directory that WORKDIR makes current: absolute and clean.
[[nodiscard]] Expected<std::string> working_directory(const State& state,
                                                      const Workdir& workdir,
                                                      const Scope& scope);

/// A path of an instruction, absolute: relative ones begin at the working directory.
[[nodiscard]] std::string absolute_in(const State& state, const std::string& path);

/// The words of a command: with the shell before its shell form.
[[nodiscard]] Strings command_words(const State& state, const CommandLine& line);

/// `RUN |1 A=b /bin/sh -c make # buildkit`.
[[nodiscard]] std::string run_history(const State& state, const Strings& command);

}  // namespace stack::build
