#pragma once

// Makes the images of debootstrap.h with mmdebstrap(1), in a process of its own.

#include <stack/paths.h>

#include "engine/image/fetch.h"

#include <string>

namespace stack::image {

/// Starts making the image of that name and putting it into the store, as start_pull() does with
/// others. `platform`: "" for this machine's; for another one, mmdebstrap needs qemu-user.
[[nodiscard]] Fetch start_debootstrap(const Paths& paths,
                                      const std::string& reference,
                                      const std::string& platform,
                                      const StringMap& environment = {});

/// What `stack debootstrap-worker` is, the process that start_debootstrap() starts.
int run_debootstrap_worker(const Paths& paths,
                           const std::string& reference,
                           const std::string& platform);

}  // namespace stack::image
