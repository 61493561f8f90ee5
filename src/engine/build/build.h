#pragma once

// From a Dockerfile and a context to an image.

#include <stack/diagnostics.h>
#include <stack/events.h>
#include <stack/model.h>
#include <stack/paths.h>

#include "engine/image/store.h"

#include <map>
#include <string>

namespace stack::build {

struct BuildRequest {
    std::string name;  // of the service, for progress: "Image shop-web"
    std::string tag;   // reference that the image gets; empty: none
    Build build;
    StringMap environment;  // for args without a value and secrets from the environment
    std::string source_digest;
    StringMap annotations{};  // of the image's manifest
    bool no_cache = false;
    bool pull = false;
    image::FindInUse find_in_use{};  // for those who make room (room.h); without it, nobody does

    /// What the image is called for people.
    [[nodiscard]] const std::string& title() const { return tag.empty() ? name : tag; }
};

struct BuildResult {
    std::string image_id;     // empty exactly when `diagnostics` has an error or `failure` is set
    Diagnostics diagnostics;  // located in the Dockerfile
    std::map<std::string, std::string> sources;
    std::string failure;  // a step that failed: its command, last output and status, for people
    std::string manifest_digest{};
};

/// Builds (from the cache where it can). Blocks; meant for a process of its own. Output and
/// progress go to `sink`.
[[nodiscard]] BuildResult build_image(const Paths& paths,
                                      const BuildRequest& request,
                                      const EventSink& sink);

/// Looks for what the Dockerfile had better not say (lint.h), and builds nothing: `diagnostics` are
/// its mistakes and warnings, `image_id` is empty.
[[nodiscard]] BuildResult check_build(const Paths& paths,
                                      const BuildRequest& request,
                                      const EventSink& sink);

/// What the image would be made from now: Dockerfile, arguments, the content of the context (mtimes
/// excluded, see images.md 3.5), the ids of local base images. Equal digests mean that a build
/// would change nothing, but where the context is remote (model/source_digest.h). Throws
/// stack::Error where context or Dockerfile cannot be read.
[[nodiscard]] std::string source_digest(const Paths& paths, const Build& build);

/// Takes away what the steps of builds that were killed have left: secrets among it.
void sweep(const Paths& paths);

}  // namespace stack::build
