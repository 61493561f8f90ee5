#pragma once

// Which stages a build needs, in which order, and what each begins with. Pure.

#include <stack/diagnostics.h>
#include <stack/model.h>

#include "engine/build/dockerfile.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace stack::build {

/// What the user says about a build beside its Dockerfile.
struct BuildChoices {
    StringMap arguments;  // --build-arg and build.args, with values
    std::string target;   // a stage's name or number; empty: the last
    Strings contexts;     // names of additional contexts: they come before stages and images
    std::string platform = "linux/amd64";
};

/// Where a base, COPY --from or a mount's `from` takes from.
struct StageSource {
    enum class Kind { scratch, stage, context, image };
    Kind kind = Kind::image;
    std::size_t stage = 0;
    std::string name;  // of the context or image

    bool operator==(const StageSource&) const = default;
};

struct PlannedStage {
    std::size_t index = 0;  // in Dockerfile::stages
    std::string title;      // its name, or its number where it has none
    StageSource base;
    std::string platform;            // FROM's, or what is built for
    std::vector<std::size_t> needs;  // indices of the stages it is made from
};

struct BuildPlan {
    StringMap globals;                 // ARGs before the first FROM, the platform's and TARGETSTAGE
    std::vector<PlannedStage> stages;  // all, in order of the file
    std::vector<std::size_t> order;    // those the target needs, each after what it needs
    Diagnostics diagnostics;
};

[[nodiscard]] BuildPlan plan_build(const Dockerfile& file, const BuildChoices& choices);

/// Every `from` of an instruction.
[[nodiscard]] Strings sources_of(const Instruction& instruction);

/// What `from` means in the stage with this index; nullopt where it means the stage itself or a
/// number that no stage has.
[[nodiscard]] std::optional<StageSource> find_source(const Dockerfile& file,
                                                     const Strings& contexts,
                                                     const std::string& from,
                                                     std::size_t stage);

/// TARGETPLATFORM, BUILDARCH and the like.
[[nodiscard]] StringMap platform_arguments(const std::string& target, const std::string& build);
/// linux/amd64: the platform of this machine.
[[nodiscard]] std::string machine_platform();

}  // namespace stack::build
