#pragma once

// The modifiers # ## % %% / // of variables (Dockerfile reference, "Environment replacement").
//
// A pattern is of shell style; one that cannot be compiled matches nothing. The time is the product
// of the lengths of text and pattern: each fails where that is beyond reason.

#include "base/expected.h"

#include <string>

namespace stack::build {

/// Without the shortest or longest prefix that matches: # and ##.
[[nodiscard]] Expected<std::string> without_prefix(const std::string& text,
                                                   const std::string& pattern,
                                                   bool longest);
/// Without the shortest or longest suffix that matches: % and %%.
[[nodiscard]] Expected<std::string> without_suffix(const std::string& text,
                                                   const std::string& pattern,
                                                   bool longest);
/// With the first match, or all, replaced; each is as long as can be: / and //. Fails where the
/// result is longer than `limit` bytes.
[[nodiscard]] Expected<std::string> replace_matches(const std::string& text,
                                                    const std::string& pattern,
                                                    const std::string& replacement,
                                                    bool everywhere,
                                                    std::size_t limit);

}  // namespace stack::build
