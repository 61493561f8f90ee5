#pragma once

// --output of `image build`: what is to become of the image.

#include "cli/context.h"

#include <string>

namespace stack::cli {

struct BuildOutput {
    enum class Kind { image, directory, archive, saved_image, saved_layout };

    Kind kind = Kind::image;  // in the store, as without --output
    std::string target;       // of the others; `-`: standard output
    Strings names;            // that the image gets beside those of --tag
    bool push = false;        // and by which it goes to registries
    Strings annotations{};    // annotation.h: what its manifest says
};

/// `DIR`, `-`, or `type=local|tar|oci|docker|image|registry,dest=PATH,…`; a field with commas
/// stands in double quotes. Gives up where it has no meaning.
[[nodiscard]] BuildOutput parse_build_output(const std::string& text);

/// Writes the image, which is in the store and has these names (maybe none), to where the output
/// says; pushing is push_images()'s. Returns the exit code.
[[nodiscard]] int write_build_output(const Context& context,
                                     const std::string& image,
                                     const Strings& names,
                                     const BuildOutput& output);

}  // namespace stack::cli
