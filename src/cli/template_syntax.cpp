#include "cli/template_syntax.h"

#include "base/text.h"

#include <cctype>
#include <optional>

namespace stack::cli {
namespace {

using Nodes = std::vector<TemplateNode>;
using Operand = TemplateOperand;

constexpr int deepest = 50;  // blocks in blocks, and parentheses in parentheses
constexpr std::string_view spaces = " \t\r\n";

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Expected<Nodes> run() {
        Nodes nodes;
        if (parse_nodes(nodes, 0) != "" && !mistake_)
            fail("there is nothing here that this could belong to", action_);
        if (mistake_)
            return tl::unexpected(*mistake_);
        return nodes;
    }

  private:
    // --- blocks ---

    /// Reads up to the end, or to an `end` or `else` of the block that it is in, which it returns.
    std::string parse_nodes(Nodes& nodes, int depth) {
        while (!mistake_ && at_ < text_.size()) {
            take_text(nodes);
            if (at_ >= text_.size())
                break;
            const std::string word = open_action();
            if (word == "end" || word == "else")
                return word;
            if (word == "if" || word == "range" || word == "with")
                take_block(nodes, word, depth);
            else if (word == "break" || word == "continue")
                take_jump(nodes, word);
            else if (word != "comment")
                take_output(nodes);
        }
        return {};
    }

    void take_text(Nodes& nodes) {
        const auto open = std::min(text_.find("{{", at_), text_.size());
        std::string text(text_.substr(at_, open - at_));
        if (trims_)
            text.erase(0, std::min(text.find_first_not_of(spaces), text.size()));
        at_ = open;
        if (looking_at("{{- "))
            text.erase(text.find_last_not_of(spaces) + 1);
        if (!text.empty())
            nodes.push_back({.kind = TemplateNode::Kind::text, .text = std::move(text)});
    }

    /// Goes behind `{{` and the keyword that may stand there; "" where there is none.
    std::string open_action() {
        action_ = at_;
        at_ += looking_at("{{- ") ? std::size_t{3} : std::size_t{2};
        skip_spaces();
        if (looking_at("/*")) {
            const auto end = text_.find("*/", at_);
            at_ = end == std::string_view::npos ? text_.size() : end + 2;
            close_action();
            return "comment";
        }
        for (const auto* keyword : {"if", "range", "with", "else", "end", "break", "continue"}) {
            const std::string_view word = keyword;
            if (looking_at(word) &&
                (at_ + word.size() >= text_.size() || !is_word(text_[at_ + word.size()]))) {
                at_ += word.size();
                return keyword;
            }
        }
        return {};
    }

    void close_action() {
        skip_spaces();
        trims_ = looking_at("-}}");
        if (trims_)
            ++at_;
        if (!looking_at("}}"))
            fail(at_ >= text_.size() ? "its }} is missing" : "}} is expected here",
                 at_ >= text_.size() ? action_ : at_);
        at_ += 2;
    }

    void take_output(Nodes& nodes) {
        TemplateNode node{.kind = TemplateNode::Kind::output};
        node.pipeline = take_pipeline(0);
        close_action();
        nodes.push_back(std::move(node));
    }

    void take_jump(Nodes& nodes, const std::string& word) {
        if (loops_ == 0)
            fail(word + " belongs in a range", action_);
        close_action();
        nodes.push_back(
            {.kind = word == "break" ? TemplateNode::Kind::leave : TemplateNode::Kind::skip});
    }

    void take_block(Nodes& nodes, const std::string& word, int depth) {
        const std::size_t start = action_;
        TemplateNode node;
        node.kind = word == "if"      ? TemplateNode::Kind::choice
                    : word == "range" ? TemplateNode::Kind::loop
                                      : TemplateNode::Kind::scope;
        if (depth >= deepest)
            fail("this is too deep in others", start);
        node.pipeline = take_pipeline(0);
        close_action();
        const bool loops = node.kind == TemplateNode::Kind::loop;
        loops_ += loops ? 1 : 0;
        std::string ended = mistake_ ? "end" : parse_nodes(node.body, depth + 1);
        loops_ -= loops ? 1 : 0;
        if (ended == "else")
            ended = take_otherwise(node, depth);
        if (ended == "end")
            close_action();
        else
            fail("its {{end}} is missing", start);
        nodes.push_back(std::move(node));
    }

    /// Behind `else`: the rest of the block, or `if` or `with` and another one that ends with it.
    std::string take_otherwise(TemplateNode& node, int depth) {
        skip_spaces();
        const bool is_choice = looking_at("if ");
        if (!is_choice && !looking_at("with ")) {
            close_action();
            return parse_nodes(node.otherwise, depth + 1);
        }
        TemplateNode next{.kind =
                              is_choice ? TemplateNode::Kind::choice : TemplateNode::Kind::scope};
        at_ += std::string_view(is_choice ? "if" : "with").size();
        if (depth >= deepest)
            fail("this is too deep in others", action_);
        next.pipeline = take_pipeline(0);
        close_action();
        std::string ended = mistake_ ? "" : parse_nodes(next.body, depth + 1);
        if (ended == "else")
            ended = take_otherwise(next, depth + 1);
        node.otherwise.push_back(std::move(next));
        return ended;
    }

    // --- pipelines ---

    TemplatePipeline take_pipeline(int depth) {
        TemplatePipeline pipeline;
        skip_spaces();
        pipeline.offset = at_;
        take_variables(pipeline);
        do {
            pipeline.commands.emplace_back();
            while (!mistake_ && take_operand(pipeline.commands.back(), depth)) {
            }
            if (pipeline.commands.back().empty())
                fail("a value or a function is expected here", at_);
        } while (!mistake_ && take("|"));
        return pipeline;
    }

    /// `$a :=`, `$a =`, `$i, $a :=`; a `$a` that none of these follows is an operand.
    void take_variables(TemplatePipeline& pipeline) {
        const std::size_t start = at_;
        std::vector<std::string> names;
        while (take("$")) {
            names.push_back(take_word());
            if (!take(","))
                break;
        }
        pipeline.assigns = names.size() == 1 && take("=");
        if (pipeline.assigns || (!names.empty() && names.size() <= 2 && take(":=")))
            pipeline.variables = std::move(names);
        else
            at_ = start;
    }

    bool take_operand(std::vector<Operand>& operands, int depth) {
        skip_spaces();
        Operand operand;
        operand.offset = at_;
        if (at_ >= text_.size() || looking_at("}}") || looking_at("-}}") || text_[at_] == '|' ||
            text_[at_] == ')')
            return false;
        const char first = text_[at_];
        if (first == '(')
            take_group(operand, depth);
        else if (first == '"' || first == '`')
            operand = take_string();
        else if (first == '.')
            operand.kind = Operand::Kind::dot;
        else if (take("$"))
            operand.kind = Operand::Kind::variable, operand.name = take_word();
        else
            operand = take_literal_or_function();
        if (!mistake_ && operand.kind != Operand::Kind::literal &&
            operand.kind != Operand::Kind::function)
            take_fields(operand);
        operands.push_back(std::move(operand));
        return true;
    }

    void take_group(Operand& operand, int depth) {
        ++at_;
        operand.kind = Operand::Kind::group;
        if (depth >= deepest)
            fail("these parentheses are too deep in others", operand.offset);
        else
            operand.group = std::make_shared<TemplatePipeline>(take_pipeline(depth + 1));
        if (!take(")"))
            fail("its ) is missing", operand.offset);
    }

    void take_fields(Operand& operand) {
        const bool is_dot = operand.kind == Operand::Kind::dot;
        while (at_ < text_.size() && text_[at_] == '.') {
            ++at_;
            std::string field = take_word();
            if (field.empty()) {
                if (!is_dot || !operand.fields.empty())
                    fail("the name of a field is expected here", at_);
                return;
            }
            operand.fields.push_back(std::move(field));
        }
    }

    Operand take_string() {
        Operand operand{.kind = Operand::Kind::literal};
        operand.offset = at_;
        const char quote = text_[at_++];
        std::string value;
        while (at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] == '\\' && quote == '"' && at_ + 1 < text_.size()) {
                ++at_;
                const char escaped = text_[at_];
                value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
            } else {
                value += text_[at_];
            }
            ++at_;
        }
        if (at_ >= text_.size())
            fail("its closing quote is missing", operand.offset);
        ++at_;
        operand.literal = std::move(value);
        return operand;
    }

    Operand take_literal_or_function() {
        Operand operand{.kind = Operand::Kind::literal};
        operand.offset = at_;
        const bool negative = looking_at("-");
        if (negative)
            ++at_;
        const std::string word = take_word();
        const auto number = parse_number<std::int64_t>(word);
        const auto fraction = number && looking_at(".") ? take_fraction(word) : std::nullopt;
        if (fraction)
            operand.literal = negative ? -*fraction : *fraction;
        else if (number)
            operand.literal = negative ? -*number : *number;
        else if (word == "true" || word == "false")
            operand.literal = word == "true";
        else if (word == "nil")
            operand.literal = nullptr;
        else
            operand.kind = Operand::Kind::function, operand.name = word;
        if (word.empty() || (negative && !number))
            fail("this is neither a value nor a function", operand.offset);
        return operand;
    }

    /// The rest of a number of which `word` is what stands before the point.
    std::optional<double> take_fraction(std::string word) {
        ++at_;
        word += "." + take_word();
        return parse_number<double>(word);
    }

    // --- characters ---

    [[nodiscard]] bool looking_at(std::string_view what) const {
        return text_.substr(std::min(at_, text_.size())).starts_with(what);
    }

    bool take(std::string_view what) {
        skip_spaces();
        if (!looking_at(what))
            return false;
        at_ += what.size();
        return true;
    }

    std::string take_word() {
        const std::size_t start = at_;
        while (at_ < text_.size() && is_word(text_[at_]))
            ++at_;
        return std::string(text_.substr(start, at_ - start));
    }

    void skip_spaces() {
        at_ = std::min(text_.find_first_not_of(spaces, std::min(at_, text_.size())), text_.size());
    }

    /// The first one counts; what follows it is of no interest.
    void fail(std::string sentence, std::size_t offset) {
        if (!mistake_)
            mistake_ = Malformed{std::move(sentence), offset};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t action_ = 0;  // where the last {{ is
    bool trims_ = false;      // the last action ended with -}}
    int loops_ = 0;           // that are open here
    std::optional<Malformed> mistake_;
};

}  // namespace

Expected<Nodes> parse_template(std::string_view text) {
    return Parser(text).run();
}

}  // namespace stack::cli
