#pragma once

// COPY and ADD: from the instruction to a list of files with a cache key (preparing), and from the
// list to a layer.

#include <stack/diagnostics.h>

#include "engine/build/copy.h"
#include "engine/build/new_layer.h"
#include "engine/build/sources.h"
#include "engine/build/state.h"

#include <string>
#include <vector>

namespace stack::build {

/// What one source gave.
struct CopyBatch {
    const SourceTree* tree = nullptr;
    std::string name;  // what a single file is called in a directory
    bool directory = false;
    bool archive = false;  // unpacked instead of copied
    std::vector<SourceFile> files;
};

struct PreparedCopy {
    Copy copy;                // variables expanded
    std::string destination;  // absolute
    bool into_directory = false;
    std::vector<CopyBatch> batches;
    Strings modified;  // what came from the web is also told apart by its time
    std::string key;
    Diagnostics diagnostics;  // where it has an error there is nothing to be done
};

[[nodiscard]] PreparedCopy prepare_copy(const Instruction& instruction,
                                        const State& state,
                                        const Scope& scope,
                                        const Strings& contexts,
                                        const Dockerfile& file,
                                        std::size_t stage,
                                        Sources& sources);

/// Writes the files into `layer`. Throws stack::Error.
void write_copy(const PreparedCopy& prepared, const NewLayer& layer);

/// `COPY --chown=1:1 a b /c # buildkit`.
[[nodiscard]] std::string copy_history(const PreparedCopy& prepared);

}  // namespace stack::build
