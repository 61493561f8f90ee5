// Whatever stands in a Dockerfile (heredocs, JSON forms and mounts included): it is parsed within
// bounds, every complaint has a place in it, and what has no error can be planned.

#include "engine/build/dockerfile.h"

#include "engine/build/run_mount.h"
#include "engine/build/stages.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stack;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    const build::Dockerfile file = build::parse_dockerfile(text, "Dockerfile");
    for (const auto& one : file.diagnostics)
        if (one.message.empty() || one.location.line > lines)
            std::abort();
    if (has_errors(file.diagnostics))
        return 0;
    if (file.stages.empty())
        std::abort();
    for (const auto& stage : file.stages)
        for (const auto& instruction : stage.instructions)
            if (const auto* run = std::get_if<build::Run>(&instruction.body))
                for (const auto& mount : run->mounts)
                    static_cast<void>(build::parse_run_mount(mount));
    const build::BuildPlan plan = build::plan_build(file, {});
    if (!has_errors(plan.diagnostics) && plan.order.empty())
        std::abort();
    return 0;
}
