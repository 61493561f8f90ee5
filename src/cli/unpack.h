#pragma once

// An archive on its way from this process to the worker that unpacks it.

#include "engine/image/fetch.h"
#include "engine/image/tar_stream.h"
#include "sys/fd.h"

#include <functional>

namespace stack::cli {

/// Starts the worker on what `write` writes. Throws what the worker has to say, which counts for
/// more than that it stopped listening.
void unpack(const std::function<image::Fetch(const sys::Fd& archive)>& start,
            const std::function<void(const image::ByteSink& archive)>& write);

}  // namespace stack::cli
