#pragma once

// --format: a word that the command knows, or a template.

#include "cli/context.h"

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace CLI {
class App;
}

namespace stack::cli {

/// Declares --format, which takes one of `words` or a template.
void add_format(CLI::App& app,
                std::string& format,
                const Strings& words = {"table", "json"},
                const std::string& names = "--format");

[[nodiscard]] bool is_template(const std::string& format);

/// What the template makes of each of the rows, a line each; with `table` in front of it, in
/// columns under a head: of a field its title, or else its own words. Gives up where it is
/// malformed, saying where.
[[nodiscard]] std::string formatted(const std::string& format,
                                    const std::vector<nlohmann::json>& rows,
                                    const std::map<std::string, std::string>& titles = {});

/// Declares the --format of `inspect`.
void add_inspect_format(CLI::App& app, std::string& format);

/// What `inspect` prints: all as one JSON list, each in a line of its own (`json`), or as the
/// template says.
[[nodiscard]] std::string inspected(const std::string& format,
                                    const std::vector<nlohmann::json>& objects);

}  // namespace stack::cli
