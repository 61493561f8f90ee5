#pragma once

// What steps take from: the context, additional contexts, the roots of stages and images; each
// opened when it is first used and kept while the build lasts. From several threads at once.

#include <stack/events.h>
#include <stack/paths.h>

#include "base/once.h"
#include "engine/build/build.h"
#include "engine/build/context.h"
#include "engine/build/downloads.h"
#include "engine/build/remote.h"
#include "engine/build/stages.h"
#include "engine/build/state.h"
#include "engine/image/store.h"

#include <map>
#include <mutex>
#include <string>

namespace stack::build {

/// A git commit that ADD takes from.
struct Repository {
    sys::ScratchDirectory place;
    SourceTree tree;
    std::string commit;
};

class Sources {
  public:
    Sources(const Paths& paths,
            const BuildRequest& request,
            image::Store& store,
            const EventSink& sink)
        : paths_(paths),
          build_(request.build),
          environment_(request.environment),
          store_(store),
          pull_(request.pull || request.build.pull),
          sink_(sink),
          downloads_(paths) {}

    /// Keeps what a finished stage has become.
    void keep_stage(std::size_t index, State state);
    [[nodiscard]] const State& stage(std::size_t index) const;

    /// The image, pulled where it is not there or --pull asks for it (once a build). Throws
    /// stack::Error.
    [[nodiscard]] const image::Image& find_image(const std::string& reference,
                                                 const std::string& platform);

    /// The state with which a stage begins on this base.
    [[nodiscard]] State base_state(const StageSource& base, const std::string& platform);

    [[nodiscard]] const SourceTree& context();
    [[nodiscard]] const SourceTree& open(const StageSource& source);

    [[nodiscard]] const Repository& repository(const RemotePlace& from);

    /// Whether ADD unpacks it: it is a tar, packed or not.
    [[nodiscard]] bool holds_archive(const sys::Fd& file) const;

    /// A file from the web, open() to downloads().
    [[nodiscard]] SourceFile download(const std::string& url, const std::string& checksum);

    [[nodiscard]] const SourceTree& downloads() const { return downloads_.tree(); }

    /// Writes the digests of context files, for the next build.
    void save_digests() const;

  private:
    [[nodiscard]] image::Image find_or_pull(const std::string& reference,
                                            const std::string& platform) const;
    [[nodiscard]] bool is_context_made_here(const std::string& reference) const;
    [[nodiscard]] sys::Fd empty_directory() const;
    [[nodiscard]] std::optional<image::Image> pull_instead(std::optional<image::Image> here,
                                                           const std::string& reference,
                                                           const std::string& platform) const;
    [[nodiscard]] SourceTree open_layers(const Strings& layers) const;
    [[nodiscard]] SourceTree open_uncached(const StageSource& source);
    [[nodiscard]] State image_state(const std::string& reference, const std::string& platform);
    /// The image that an additional context `docker-image://…` names; empty where it names none.
    [[nodiscard]] std::string context_image(const std::string& name) const;

    const Paths& paths_;
    const Build& build_;
    const StringMap& environment_;
    image::Store& store_;
    bool pull_;
    const EventSink& sink_;
    mutable std::mutex mutex_;
    std::map<std::size_t, State> stages_;  // under the mutex; what is in it stays
    Once<image::Image> images_;
    Once<SourceTree> trees_;
    Once<Repository> repositories_;
    Once<SourceFile> files_;
    Downloads downloads_;
};

}  // namespace stack::build
