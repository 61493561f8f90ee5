#pragma once

// The step cache on its way between machines: `cache_from` and `cache_to` of a build.
//
// It travels as an image whose layers are those of the steps. A field of the image's configuration
// says which step gave which:
//
//   "stack.build.cache.v0": {"<key of the step>": "<diffID, or nothing where it wrote nothing>", …}
//
// so that any registry keeps it, and any OCI layout, and `inline` an image that was built. What
// other builders keep in their ways is not read.
//
// Nobody can check such a claim without running the step. So it holds for the builds that name the
// cache, and never comes into the machine's own (cache.h), which every build believes.

#include <stack/events.h>
#include <stack/model.h>
#include <stack/paths.h>

#include "base/expected.h"
#include "engine/image/store.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

/// An element of cache_from or cache_to.
struct CachePlace {
    enum class Kind { registry, local, in_image };
    Kind kind = Kind::registry;
    std::string name;        // reference or directory
    bool all_steps = false;  // mode=max: not only those whose layers the image has

    bool operator==(const CachePlace&) const = default;
};

/// `type=registry,ref=IMAGE`, `type=local,src=DIRECTORY` (cache_to: `dest=`), `type=inline` (only
/// cache_to), or IMAGE.
[[nodiscard]] Expected<CachePlace> parse_cache_place(std::string_view text);

/// Layers by the keys of the steps that gave them; "" where a step wrote nothing.
using StepLayers = std::map<std::string, std::string>;

/// The image configuration `json` with these steps in it; without any, without the field.
[[nodiscard]] std::string with_steps(const std::string& json, const StepLayers& steps);
/// Those in it.
[[nodiscard]] StepLayers steps_in(const std::string& json);

/// The places that one build takes steps from and leaves them at. What nothing can be done with is
/// an event; so is a cache that cannot be had, for without it the build only takes longer.
class SharedCaches {
  public:
    SharedCaches(const Paths& paths, const Build& build, image::Store& store, const EventSink& sink)
        : paths_(paths), build_(build), store_(store), sink_(sink) {}

    /// What they say that steps gave. Of two that know the same step the first counts. The layers
    /// are in the store, and held.
    [[nodiscard]] StepLayers fetch() const;
    /// Sends the steps to where they are to go: all, or those whose layers the image has. What
    /// carries them stays in the store under the name that it has there. Throws stack::Error.
    void send(const StepLayers& all, const StepLayers& of_image) const;
    /// Whether the image itself is to carry its steps.
    [[nodiscard]] bool has_inline() const;

  private:
    [[nodiscard]] std::vector<CachePlace> places(const Strings& texts) const;
    void skip(const std::string& name, const std::string& why) const;
    [[nodiscard]] StepLayers fetch_from(const CachePlace& place) const;
    void send_to(const CachePlace& place, const StepLayers& steps) const;

    const Paths& paths_;
    const Build& build_;
    image::Store& store_;
    const EventSink& sink_;
};

}  // namespace stack::build
