#include "cli/template.h"

#include "base/text.h"
#include "cli/template_functions.h"
#include "cli/template_syntax.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace stack::cli {
namespace {

using Json = nlohmann::json;
using Nodes = std::vector<TemplateNode>;
using Operand = TemplateOperand;

constexpr int most_steps = 200'000;
constexpr std::size_t longest_output = std::size_t{64} << 20U;

class Evaluation {
  public:
    explicit Evaluation(const Json& data, bool is_head = false) : data_(data), is_head_(is_head) {
        variables_.emplace_back("", data);
    }

    Expected<std::string> run(const Nodes& nodes) {
        walk(nodes, data_);
        if (mistake_)
            return tl::unexpected(*mistake_);
        return std::move(output_);
    }

  private:
    void walk(const Nodes& nodes, const Json& dot) {
        for (const auto& node : nodes) {
            if (mistake_ || jump_)
                return;
            count(node.pipeline.offset);
            switch (node.kind) {
                case TemplateNode::Kind::text:
                    output_ += node.text;
                    break;
                case TemplateNode::Kind::output:
                    print(node.pipeline, dot);
                    break;
                case TemplateNode::Kind::choice:
                case TemplateNode::Kind::scope:
                    choose(node, dot);
                    break;
                case TemplateNode::Kind::loop:
                    repeat(node, dot);
                    break;
                case TemplateNode::Kind::leave:
                case TemplateNode::Kind::skip:
                    jump_ = node.kind;
                    break;
            }
        }
    }

    void print(const TemplatePipeline& pipeline, const Json& dot) {
        const Json value = evaluate(pipeline, dot);
        if (pipeline.variables.empty() && !mistake_)
            output_ += template_text(value);
    }

    void choose(const TemplateNode& node, const Json& dot) {
        const std::size_t outer = variables_.size();
        const Json value = evaluate(node.pipeline, dot);
        const bool changes_dot = node.kind == TemplateNode::Kind::scope;
        if (is_truthy(value))
            walk(node.body, changes_dot ? value : dot);
        else
            walk(node.otherwise, dot);
        variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(outer), variables_.end());
    }

    void repeat(const TemplateNode& node, const Json& dot) {
        TemplatePipeline over = node.pipeline;
        over.variables.clear();  // they are each element's, not the list's
        over.assigns = false;
        const Json list = evaluate(over, dot);
        if (!list.is_structured() && !list.is_null())
            fail("range wants a list or a map, not " + template_text(list), over.offset);
        if (list.empty())
            walk(node.otherwise, dot);
        std::int64_t number = 0;
        for (const auto& [key, element] : list.items()) {
            count(over.offset);
            if (mistake_)
                return;
            const std::size_t outer = variables_.size();
            const auto& names = node.pipeline.variables;
            if (names.size() == 2)
                variables_.emplace_back(names[0], list.is_array() ? Json(number) : Json(key));
            if (node.pipeline.assigns)
                assign(node.pipeline, element);
            else if (!names.empty())
                variables_.emplace_back(names.back(), element);
            ++number;
            walk(node.body, element);
            variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(outer),
                             variables_.end());
            if (std::exchange(jump_, std::nullopt) == TemplateNode::Kind::leave)
                return;
        }
    }

    Json evaluate(const TemplatePipeline& pipeline, const Json& dot) {
        std::optional<Json> value;
        for (const auto& command : pipeline.commands)
            if (!mistake_)
                value = evaluate(command, dot, value);
        if (pipeline.assigns)
            assign(pipeline, value.value_or(nullptr));
        else if (pipeline.variables.size() == 1)
            variables_.emplace_back(pipeline.variables.front(), value.value_or(nullptr));
        else if (pipeline.variables.size() == 2)
            fail("two variables are for range", pipeline.offset);
        return value.value_or(nullptr);
    }

    Json evaluate(const std::vector<Operand>& command,
                  const Json& dot,
                  const std::optional<Json>& piped) {
        const Operand& first = command.front();
        count(first.offset);
        std::vector<Json> arguments;
        for (std::size_t i = 1; i < command.size(); ++i)
            arguments.push_back(value_of(command[i], dot));
        if (piped)
            arguments.push_back(*piped);
        if (mistake_)
            return nullptr;
        if (first.kind == Operand::Kind::function)
            return call(first, arguments);
        if (first.kind == Operand::Kind::dot && first.fields == std::vector<std::string>{"Label"} &&
            arguments.size() == 1)
            return label(template_text(arguments.front()));
        if (!arguments.empty())
            fail("only a function takes values", first.offset);
        return value_of(first, dot);
    }

    Json call(const Operand& function, const std::vector<Json>& arguments) {
        auto result = call_template_function(function.name, arguments);
        if (!result) {
            const std::string meant = closest_template_function(function.name);
            fail("there is no function " + function.name +
                     (meant.empty() ? "" : "; did you mean " + meant + "?"),
                 function.offset);
            return nullptr;
        }
        if (!result->mistake.empty())
            fail(function.name + ": " + result->mistake, function.offset);
        return std::move(result->value);
    }

    /// `.Label "key"`: out of the labels, which lists print as `key=value,key=value`.
    [[nodiscard]] Json label(const std::string& key) const {
        if (is_head_)
            return replace_all(replace_all(key.substr(key.rfind('.') + 1), "-", " "), "_", " ");
        const auto labels = data_.find("Labels");
        if (labels == data_.end())
            return "";
        if (labels->is_object())
            return labels->value(key, "");
        for (const auto& pair : split(template_text(*labels), ','))
            if (auto [name, value] = split_once(pair, '='); name == key)
                return value;
        return "";
    }

    Json value_of(const Operand& operand, const Json& dot) {
        if (mistake_)
            return nullptr;
        switch (operand.kind) {
            case Operand::Kind::literal:
                return operand.literal;
            case Operand::Kind::function:
                return call(operand, {});
            case Operand::Kind::dot:
                return field_of(operand, dot, &dot == &data_);
            case Operand::Kind::variable:
                return field_of(operand, variable(operand), operand.name.empty());
            case Operand::Kind::group:
                return field_of(operand, evaluate(*operand.group, dot), false);
        }
        return nullptr;
    }

    /// The innermost of that name; fails where there is none.
    Json* find_variable(const std::string& name, std::size_t offset) {
        const auto found = std::find_if(variables_.rbegin(),
                                        variables_.rend(),
                                        [&](const auto& known) { return known.first == name; });
        if (found != variables_.rend())
            return &found->second;
        fail("there is no variable $" + name, offset);
        return nullptr;
    }

    Json variable(const Operand& operand) {
        const Json* value = find_variable(operand.name, operand.offset);
        return value == nullptr ? Json() : *value;
    }

    void assign(const TemplatePipeline& pipeline, Json value) {
        Json* variable = find_variable(pipeline.variables.front(), pipeline.offset);
        if (variable != nullptr)
            *variable = std::move(value);
    }

    Json field_of(const Operand& operand, const Json& base, bool is_data) {
        const Json* value = &base;
        static const Json nothing;
        for (const auto& field : operand.fields) {
            const auto found = value->is_object() ? value->find(field) : value->end();
            if (value->is_object() && found != value->end()) {
                value = &*found;
            } else if (is_data && value == &base) {
                fail_field(operand, base, field);
                return nullptr;
            } else {
                value = &nothing;
            }
        }
        return *value;
    }

    void fail_field(const Operand& operand, const Json& base, const std::string& field) {
        std::vector<std::string> names;
        for (const auto& [name, value] : base.items())
            names.push_back(name);
        const std::string meant = closest(field, names);
        fail("there is no field ." + field +
                 (meant.empty() ? "; there are ." + join(names, " .")
                                : "; did you mean ." + meant + "?"),
             operand.offset);
    }

    /// Loops in loops over a long list would take for ever.
    void count(std::size_t offset) {
        if (++steps_ > most_steps)
            fail("this takes too many steps", offset);
        if (output_.size() > longest_output)
            fail("this prints too much", offset);
    }

    void fail(std::string sentence, std::size_t offset) {
        if (!mistake_)
            mistake_ = Malformed{std::move(sentence), offset};
    }

    const Json& data_;
    bool is_head_;
    std::vector<std::pair<std::string, Json>> variables_;  // the innermost last
    std::string output_;
    std::optional<TemplateNode::Kind> jump_;  // out of the loop, or to its next element
    int steps_ = 0;
    std::optional<Malformed> mistake_;
};

void collect_fields(const TemplatePipeline& pipeline, std::set<std::string>& fields) {
    for (const auto& command : pipeline.commands)
        for (const auto& operand : command) {
            if (operand.kind == Operand::Kind::dot && !operand.fields.empty())
                fields.insert(operand.fields.front());
            if (operand.group)
                collect_fields(*operand.group, fields);
        }
}

void collect_fields(const Nodes& nodes, std::set<std::string>& fields) {
    for (const auto& node : nodes) {
        collect_fields(node.pipeline, fields);
        collect_fields(node.body, fields);
        collect_fields(node.otherwise, fields);
    }
}

}  // namespace

Expected<Template> Template::parse(std::string_view text) {
    auto nodes = parse_template(text);
    if (!nodes)
        return tl::unexpected(nodes.error());
    return Template(std::make_shared<const Nodes>(std::move(*nodes)));
}

Expected<std::string> Template::render(const Json& data) const {
    return Evaluation(data).run(*nodes_);
}

Expected<std::string> Template::render_head(const Json& titles) const {
    return Evaluation(titles, true).run(*nodes_);
}

std::vector<std::string> Template::fields() const {
    std::set<std::string> fields;
    collect_fields(*nodes_, fields);
    return {fields.begin(), fields.end()};
}

}  // namespace stack::cli
