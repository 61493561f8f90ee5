#pragma once

// A command line of `container run` is read as a stack file (single_stack.h); what is said of that
// file is said of the command line.

#include <string>

namespace stack::cli {

/// The loader's sentence about the service `name`, in the words of the options.
[[nodiscard]] std::string in_option_words(const std::string& sentence, const std::string& name);

}  // namespace stack::cli
