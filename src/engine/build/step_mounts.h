#pragma once

// The mounts of a step: RUN --mount, as the runtime mounts them.

#include <stack/paths.h>

#include "engine/build/agent_forwarder.h"
#include "engine/build/kept.h"
#include "engine/build/key_agent.h"
#include "engine/build/new_layer.h"
#include "engine/build/run_step.h"
#include "engine/build/step_files.h"
#include "engine/runtime/runtime.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stack::build {

/// Brings the mounts of a step about and takes away what it made for them.
class StepMounts {
  public:
    StepMounts(const Paths& paths, const NewLayer& layer);

    /// Waits for the cache mounts of the step in the one order that all steps keep, so that no two
    /// wait for each other. One that is mounted twice is claimed once, as its strictest use wants.
    void claim_caches(const std::vector<PreparedRunMount>& mounts);

    /// Adds to the step what it sees of this.
    void add(const PreparedRunMount& prepared, runtime::StepSpec& step);

    [[nodiscard]] Mount make_script(const Heredoc& script) const;

  private:
    [[nodiscard]] Mount make(const PreparedRunMount& prepared,
                             const std::string& secret,
                             runtime::StepSpec& step);
    void make_bind(const PreparedRunMount& prepared, Mount& mount, runtime::StepSpec& step) const;
    void forward_agent(const PreparedRunMount& prepared);
    [[nodiscard]] std::string agent_of(const PreparedRunMount& prepared);
    [[nodiscard]] runtime::LayerTree open_tree(const PreparedRunMount& prepared) const;
    [[nodiscard]] std::string open_cache(const PreparedRunMount& prepared);
    [[nodiscard]] std::string scratch_place() const;

    const Paths& paths_;
    const NewLayer& layer_;
    StepFiles files_;
    std::vector<std::unique_ptr<KeyAgent>> key_agents_;
    std::vector<std::unique_ptr<AgentForwarder>> agents_;
    std::map<std::string, std::optional<CacheMount>> caches_;  // nullopt: somebody else has it
    int count_ = 0;
};

}  // namespace stack::build
