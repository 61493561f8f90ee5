#pragma once

// What of this machine a worker still reads when it is confined, besides the store of images and
// what it was told to read. What is not there is left out by whoever uses these.

#include <stack/model.h>

#include "fetch/settings.h"

namespace stack::fetch {

/// What the libraries themselves open late: modules of theirs, random numbers, the time zone, what
/// the process is told of itself.
[[nodiscard]] Strings files_of_libraries();

/// By what names of the network are looked up and certificates are judged: no private key is among
/// them.
[[nodiscard]] Strings files_of_the_network(const RegistrySettings& settings);

/// The files that links in these directories lead to elsewhere: who looks for a certificate by its
/// link's name opens them.
[[nodiscard]] Strings files_linked_from(const Strings& directories);

}  // namespace stack::fetch
