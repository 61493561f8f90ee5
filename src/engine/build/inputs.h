#pragma once

// What a build is made from, before anything is done: the Dockerfile, its plan, and the context
// with its ignore rules.

#include <stack/diagnostics.h>
#include <stack/model.h>
#include <stack/paths.h>

#include "engine/build/context.h"
#include "engine/build/dockerfile.h"
#include "engine/build/stages.h"
#include "engine/build/state.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace stack::build {

struct BuildInputs {
    std::string file;  // the Dockerfile's name for people
    std::string text;
    Dockerfile dockerfile;
    BuildChoices choices;
    BuildPlan plan;
    Scope scope;
    CheckOptions check;
    IgnoreRules ignored;                // read where a check asks for them
    std::optional<std::int64_t> epoch;  // SOURCE_DATE_EPOCH, where the build is to be reproducible
    Diagnostics diagnostics;            // of all of these, but for what `check` skips
};

/// `environment` gives arguments without a value theirs. Throws stack::Error where the Dockerfile
/// cannot be read.
[[nodiscard]] BuildInputs read_inputs(const Build& build, const StringMap& environment);

/// The rules of `<Dockerfile>.dockerignore` or `.dockerignore`, where there is one. Throws
/// stack::Error where they are wrong.
[[nodiscard]] IgnoreRules read_ignore_rules(const Build& build);

/// What is built for: the build's first platform, or this machine's.
[[nodiscard]] std::string target_platform(const Build& build);

/// The context, with these rules, and with the digests that an earlier build kept. Throws
/// stack::Error where it is no directory or the rules are wrong.
[[nodiscard]] SourceTree open_context(const Paths& paths, const Build& build);

/// Digests of the files in a stack of layers, kept from build to build. It never changes.
[[nodiscard]] std::unique_ptr<DigestCache> kept_digests_of_layers(const Paths& paths,
                                                                  const Strings& layers);

/// A directory that is given as an additional context.
[[nodiscard]] SourceTree open_additional_context(const Paths& paths, const std::string& directory);

}  // namespace stack::build
