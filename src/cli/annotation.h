#pragma once

// --annotation of image build, `[TYPE,…[PLATFORM]:]NAME=VALUE`, and the fields of --output that do
// the same, `annotation[-TYPE][[PLATFORM]].NAME=VALUE`, as docker has them. An image of ours is a
// manifest alone: what is to be said of an index, or in one, has no place.

#include <stack/model.h>

#include <string>
#include <string_view>

namespace stack::cli {

/// Those of the manifest of an image for `platform`. Gives up where a text is none, or says
/// something that would be lost.
[[nodiscard]] StringMap annotations_of(const Strings& texts, const std::string& platform);

/// Whether a field of --output is one.
[[nodiscard]] bool is_annotation_field(std::string_view field);

/// Postcondition: those of these fields are in `annotations`, too. Gives up likewise, and where two
/// give a name different values.
void add_annotation_fields(const Strings& fields,
                           const std::string& platform,
                           StringMap& annotations);

}  // namespace stack::cli
