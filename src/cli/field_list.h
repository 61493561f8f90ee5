#pragma once

// One option with several fields: type=bind,source=/srv,target=/srv,readonly.

#include <string>
#include <vector>

namespace stack::cli {

struct Field {
    std::string name;
    std::string value;  // "true" where there is only the name

    bool operator==(const Field&) const = default;
};

/// What stands between the commas that are not in double quotes, without these (RFC 4180). Throws
/// stack::Error, naming `option`, where a quote has no end.
[[nodiscard]] std::vector<std::string> parts_of(const std::string& option, const std::string& text);

/// The fields between the commas, in their order. One that has commas of its own stands in double
/// quotes, as in a line of CSV (RFC 4180). Throws stack::Error, naming `option`, where a quote has
/// no end, or a field no name.
[[nodiscard]] std::vector<Field> fields_of(const std::string& option, const std::string& text);

}  // namespace stack::cli
