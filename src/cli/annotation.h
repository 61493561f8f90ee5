#pragma once

// --annotation of image build: `[TYPE,…[PLATFORM]:]NAME=VALUE`, as docker has it. An image of ours
// is a manifest alone: what is to be said of an index, or in one, has no place.

#include <stack/model.h>

namespace stack::cli {

/// Those of the manifest of an image for `platform`. Gives up where a text is none, or says
/// something that would be lost.
[[nodiscard]] StringMap annotations_of(const Strings& texts, const std::string& platform);

}  // namespace stack::cli
