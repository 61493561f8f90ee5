#pragma once

// The functions of --format templates: those of text/template, and those that docker adds.

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace stack::cli {

/// A value, or why there is none.
struct TemplateResult {
    nlohmann::json value;
    std::string mistake;
};

/// As Go prints it.
[[nodiscard]] std::string template_text(const nlohmann::json& value);

/// What `if` takes for true: neither empty nor zero nor absent.
[[nodiscard]] bool is_truthy(const nlohmann::json& value);

/// nullopt: there is no such function.
[[nodiscard]] std::optional<TemplateResult> call_template_function(
    const std::string& name, const std::vector<nlohmann::json>& arguments);

/// The name of the function that was meant; "" where none is near.
[[nodiscard]] std::string closest_template_function(const std::string& name);

}  // namespace stack::cli
