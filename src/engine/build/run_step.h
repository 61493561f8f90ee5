#pragma once

// RUN: from the instruction to a command with its mounts and a cache key (preparing), and from that
// to a layer.

#include <stack/diagnostics.h>

#include "engine/build/given_agent.h"
#include "engine/build/new_layer.h"
#include "engine/build/run_mount.h"
#include "engine/build/sources.h"
#include "engine/build/state.h"
#include "engine/cgroup/cgroup.h"
#include "engine/network/networks.h"

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

/// A mount with its place and what is to be seen there.
struct PreparedRunMount {
    RunMount mount;
    std::string target;  // absolute; empty: a secret that is a variable only
    const SourceTree* tree = nullptr;
    std::vector<SourceFile> files;
    std::optional<BuildSecret> secret;  // nobody has looked into its file yet
    GivenAgent agent;
};

struct PreparedRun {
    Strings command;
    Strings environment;  // with proxies, which are not part of the key; without secrets
    std::string user;
    std::string working_dir;
    std::string network;
    std::vector<PreparedRunMount> mounts;
    std::optional<Heredoc> script;  // a heredoc with an interpreter line, run as a file
    std::string key;
    Diagnostics diagnostics;  // where it has an error there is nothing to be done
};

/// What the preparation of a step sees beside its state.
struct RunSurroundings {
    const Scope& scope;
    const Dockerfile& file;
    const Strings& contexts;
    const Build& build;
    const StringMap& environment;  // secrets may come from it
    std::size_t stage = 0;
};

[[nodiscard]] PreparedRun prepare_run(const Instruction& instruction,
                                      const State& state,
                                      const RunSurroundings& around,
                                      Sources& sources);

/// Runs the command with its writes in `layer` and returns its status. `output` gets what it
/// prints; a request to `stop` kills it.
[[nodiscard]] int execute_run(const Paths& paths,
                              const Build& build,
                              const std::string& name,
                              const PreparedRun& prepared,
                              const NewLayer& layer,
                              const std::function<void(std::string_view)>& output,
                              const std::stop_token& stop);

}  // namespace stack::build
