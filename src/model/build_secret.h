#pragma once

// What the `source` of a BuildSecret is when the image is built: a path of the host, the name of a
// variable of the environment, or the secret itself, where a stack's loading has found it: the
// environment of who builds is another one.

#include <string_view>

namespace stack::model {

constexpr std::string_view secret_content = "content:";  // before the secret itself

}  // namespace stack::model
