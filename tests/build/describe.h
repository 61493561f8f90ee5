#pragma once

// Instructions and diagnostics as lines of text, so that tests are tables.

#include <stack/diagnostics.h>

#include "engine/build/dockerfile.h"

#include <string>

namespace stack::build {

/// `COPY --chown=1 [a, b] /c`, `RUN shell [make all]` …
std::string describe(const Instruction& instruction);

/// The instructions of a file, one a line; instead of them its errors as `line:column message |
/// hint`.
std::string describe(const Dockerfile& file);

std::string describe(const Diagnostics& diagnostics);

/// What the stages that the last one needs say in an image's history: `FROM base`, then a line an
/// instruction, with variables replaced (but for COPY and ADD). Instead of them the first error.
std::string evaluate(const std::string& dockerfile, const StringMap& arguments);

}  // namespace stack::build
