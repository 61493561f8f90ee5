#pragma once

// Removing what nothing needs, by kind; `system prune` is all of them.

#include <stack/observed.h>

#include "cli/context.h"
#include "engine/build/cache_policy.h"

#include <cstdint>
#include <string>
#include <vector>

namespace stack::cli {

/// What went.
struct Pruned {
    Strings removed;         // a line each
    std::int64_t freed = 0;  // bytes
    int status = 0;          // 1: something could not be removed, which has been said
};

/// `Deleted Containers:` over their names, and a blank line; nothing where there are none.
[[nodiscard]] std::string pruned_text(const std::string& kind, const Pruned& pruned);
/// `Total reclaimed space: 1.2MB`.
[[nodiscard]] std::string reclaimed_text(std::int64_t bytes);

/// Whether to go on: asks, with docker's words around what will be removed, unless `force`.
[[nodiscard]] bool may_remove(const std::string& what, bool force);

/// Those that do not run, and that nobody is about to start again.
[[nodiscard]] std::vector<ObservedContainer> containers_to_prune(const Context& context,
                                                                 const Strings& filters);
[[nodiscard]] Pruned prune_containers(const Context& context, const Strings& filters);
/// Those that no container is in and no stack that is up may need.
[[nodiscard]] Pruned prune_networks(const Context& context, const Strings& filters);
/// Those that no container has; only anonymous ones unless `all`: a name says that somebody means
/// to come back.
[[nodiscard]] Pruned prune_volumes(const Context& context, const Strings& filters, bool all);
/// Those without a name, with `all` also those with one, that no container was made from; and the
/// layers that nothing needs.
[[nodiscard]] Pruned prune_images(const Context& context, const Strings& filters, bool all);
/// What builds keep and the policy does not.
[[nodiscard]] Pruned prune_build_cache(const Context& context, const build::CachePolicy& policy);
/// `until=24h`: not used for so long. Gives up where there is another filter.
[[nodiscard]] build::CachePolicy cache_policy(const Strings& filters, bool all);

}  // namespace stack::cli
