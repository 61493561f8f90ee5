#pragma once

// A template of --format, read: text, and what stands in {{ }}. (text/template's "Actions",
// "Pipelines" and "Variables".)

#include "base/expected.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace stack::cli {

struct TemplatePipeline;

/// One word of a command. `.A.B`, `$x.A`, `(pipeline).A`, `"text"`, `12`, `true`, `join`.
struct TemplateOperand {
    enum class Kind { dot, variable, literal, function, group };

    Kind kind = Kind::dot;
    std::string name;  // of the variable ("" is the data itself) or the function
    nlohmann::json literal;
    std::shared_ptr<const TemplatePipeline> group;
    std::vector<std::string> fields;  // of what the rest of it says, outermost first
    std::size_t offset = 0;
};

/// Commands between `|`, each the last argument of the next.
struct TemplatePipeline {
    std::vector<std::string> variables;  // that it sets; range: the key's and the element's
    bool assigns = false;                // to one that is there: `$x = `
    std::vector<std::vector<TemplateOperand>> commands;
    std::size_t offset = 0;
};

struct TemplateNode {
    enum class Kind { text, output, choice, loop, scope, leave, skip };  // if, range, with, break …

    Kind kind = Kind::text;
    std::string text;
    TemplatePipeline pipeline;
    std::vector<TemplateNode> body;
    std::vector<TemplateNode> otherwise;
};

[[nodiscard]] Expected<std::vector<TemplateNode>> parse_template(std::string_view text);

}  // namespace stack::cli
