#pragma once

// --call of image build: what is said of a Dockerfile instead of building it, in docker's words.

#include "cli/context.h"
#include "engine/build/build.h"

#include <string>

namespace stack::cli {

struct BuildCall {
    enum class Method { build, check, outline, targets };
    Method method = Method::build;
    bool json = false;

    bool operator==(const BuildCall&) const = default;
};

/// `METHOD[,format=text|json]`. Gives up where it is not known.
[[nodiscard]] BuildCall parse_build_call(const std::string& text);

/// Writes what is asked for to standard output. Returns the exit code: 1 where the Dockerfile has a
/// mistake, or a check a warning.
int answer(const Context& context, const build::BuildRequest& request, const BuildCall& call);

/// The complaints of a build, for people.
[[nodiscard]] std::string complaints_of(const build::BuildResult& result);

}  // namespace stack::cli
