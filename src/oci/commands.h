#pragma once

#include "oci/container.h"

#include <string>
#include <vector>

namespace stack::oci {

struct Context {
    Containers containers;
};

/// Thrown where a command is asked for its help, which is all that it then does.
struct HelpWanted {
    std::string text;
};

struct Command {
    const char* name;
    const char* usage;  // what comes after the name
    const char* summary;
    int (*run)(Context& context, const Strings& words);
};

[[nodiscard]] const std::vector<Command>& commands();

}  // namespace stack::oci
