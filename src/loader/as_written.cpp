#include "loader/as_written.h"

#include "base/text.h"
#include "loader/interpolate.h"

#include <algorithm>
#include <map>

namespace stack::loader {
namespace {

Json scalar_json(const Node& node) {
    if (node.quoted)
        return node.value;
    if (node.value == "true" || node.value == "false")
        return node.value == "true";
    Json number = Json::parse(node.value, nullptr, false);
    return number.is_number() ? number : Json(node.value);
}

/// Where values with variables stand.
void collect_templates(const Node& node, std::vector<Location>& templates) {
    for (const auto& item : node.items)
        collect_templates(item, templates);
    for (const auto& [key, value] : node.entries)
        collect_templates(value, templates);
    if (node.is_scalar() && node.value.find('$') != std::string::npos)
        templates.push_back(node.at);
}

void collect(const Node& node, std::map<std::string, Variable>& variables) {
    for (const auto& item : node.items)
        collect(item, variables);
    for (const auto& [key, value] : node.entries)
        collect(value, variables);
    if (node.is_scalar())
        for (auto& found : variables_of_template(node.value)) {
            Variable& known = variables[found.name];
            known.name = found.name;
            known.required = known.required || found.required;
            for (auto member : {&Variable::default_value, &Variable::alternate})
                if ((known.*member).empty())
                    known.*member = std::move(found.*member);
        }
}

}  // namespace

Json json_of(const Node& node) {
    if (node.is_scalar())
        return scalar_json(node);
    Json json;
    if (node.is_sequence())
        json = Json::array();
    if (node.is_mapping())
        json = Json::object();
    for (const auto& item : node.items)
        json.push_back(json_of(item));
    for (const auto& [key, value] : node.entries)
        json[key.text] = json_of(value);
    return json;
}

WrittenFile as_written(const Node& root) {
    const Json json = json_of(root);
    return {yaml_text(json), json.dump(2, ' ', false, Json::error_handler_t::replace)};
}

void forgive_templates(const Node& root, Diagnostics& diagnostics) {
    std::vector<Location> templates;
    collect_templates(root, templates);
    std::erase_if(diagnostics, [&](const Diagnostic& diagnostic) {
        const Location& at = diagnostic.location;
        return std::any_of(templates.begin(), templates.end(), [&](const Location& value) {
            return at.file == value.file && at.line == value.line && at.column >= value.column &&
                   at.column < value.column + value.length;
        });
    });
}

std::vector<Variable> variables_in(const Node& root) {
    std::map<std::string, Variable> variables;
    collect(root, variables);
    std::vector<Variable> list;
    for (auto& [name, variable] : variables)
        list.push_back(std::move(variable));
    return list;
}

}  // namespace stack::loader
