#pragma once

// --output of `image build`: what is to become of the image's files.

#include "cli/context.h"

#include <string>

namespace stack::cli {

struct BuildOutput {
    enum class Kind { image, directory, archive };

    Kind kind = Kind::image;  // in the store, as without --output
    std::string target;       // of the others; `-`: standard output
};

/// `DIR`, `-`, or `type=local|tar|image|docker,dest=PATH`. Gives up where it has no meaning.
[[nodiscard]] BuildOutput parse_build_output(const std::string& text);

/// Writes the files of the image, which is in the store, to where the output says.
void write_build_output(const Context& context,
                        const std::string& image,
                        const BuildOutput& output);

}  // namespace stack::cli
