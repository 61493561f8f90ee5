// A plan as a picture: for Graphviz, for Mermaid, and drawn by ourselves.

#include <stack/plan.h>

#include "base/text.h"

#include <algorithm>
#include <string_view>
#include <vector>

namespace stack {
namespace {

/// What stands in an action's box: what is done, why, and what changes.
Strings lines_of(const PlannedAction& action) {
    Strings lines{verb(action.action) + " " + action.resource, action.reason};
    for (const auto& change : action.changes)
        lines.push_back(to_text(change));
    for (auto& line : lines)
        std::replace_if(
            line.begin(), line.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return lines;
}

/// The characters of a text, not its bytes.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

std::string in_xml(std::string text) {
    text = replace_all(text, "&", "&amp;");
    text = replace_all(text, "<", "&lt;");
    return replace_all(text, ">", "&gt;");
}

/// Boxes in columns, each to the right of all that it waits for; lengths are in pixels.
class Drawing {
  public:
    explicit Drawing(const Plan& plan) : plan_(plan), boxes_(plan.actions.size()) {
        place_in_columns();
        place_in_rows();
    }

    [[nodiscard]] std::string text() const {
        std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width_) +
                          "\" height=\"" + number(height_) +
                          "\" font-family=\"monospace\" font-size=\"12\">\n"
                          "<style>rect{fill:#f6f8fa;stroke:#57606a}path{fill:none;stroke:#57606a}"
                          ".failure{stroke-dasharray:4}.what{font-weight:bold}</style>\n"
                          "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" "
                          "markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">"
                          "<path d=\"M0 0 8 4 0 8z\" style=\"fill:#57606a\"/></marker></defs>\n";
        if (boxes_.empty())
            svg += "<text x=\"20\" y=\"34\">nothing to do</text>\n";
        for (std::size_t i = 0; i < boxes_.size(); ++i)
            for (const auto earlier : plan_.actions[i].after)
                svg += arrow(boxes_[earlier], boxes_[i], tolerates(plan_.actions[i], earlier));
        for (const auto& box : boxes_)
            svg += drawn(box);
        return svg + "</svg>\n";
    }

  private:
    static constexpr std::size_t letter = 8;  // a little more than a letter of 12 pixels is wide
    static constexpr std::size_t line = 16;
    static constexpr std::size_t margin = 20;
    static constexpr std::size_t gap = 60;  // between columns, for the arrows

    struct Box {
        Strings lines;
        std::size_t column = 0;
        std::size_t x = 0;
        std::size_t y = 0;
        std::size_t width = 0;
        std::size_t height = 0;
    };

    /// An action stands behind all that it waits for in the plan, so one pass will do.
    void place_in_columns() {
        std::vector<std::size_t> widths;
        for (std::size_t i = 0; i < boxes_.size(); ++i) {
            Box& box = boxes_[i];
            box.lines = lines_of(plan_.actions[i]);
            for (const auto& text : box.lines)
                box.width = std::max(box.width, width_of(text) * letter + margin);
            box.height = box.lines.size() * line + margin / 2;
            for (const auto earlier : plan_.actions[i].after)
                box.column = std::max(box.column, boxes_[earlier].column + 1);
            widths.resize(std::max(widths.size(), box.column + 1));
            widths[box.column] = std::max(widths[box.column], box.width);
        }
        std::vector<std::size_t> lefts{margin};
        for (const auto width : widths)
            lefts.push_back(lefts.back() + width + gap);
        for (auto& box : boxes_)
            box.x = lefts[box.column];
        width_ = widths.empty() ? least_width : lefts.back() - gap + margin;
    }

    void place_in_rows() {
        std::vector<std::size_t> bottoms;
        for (auto& box : boxes_) {
            bottoms.resize(std::max(bottoms.size(), box.column + 1), margin);
            box.y = bottoms[box.column];
            bottoms[box.column] += box.height + margin;
            height_ = std::max(height_, bottoms[box.column]);
        }
    }

    static std::string number(std::size_t value) { return std::to_string(value); }

    static std::string arrow(const Box& from, const Box& to, bool after_failure) {
        const auto x1 = from.x + from.width;
        const auto y1 = from.y + from.height / 2;
        const auto y2 = to.y + to.height / 2;
        const auto middle = number((x1 + to.x) / 2);
        return std::string("<path ") + (after_failure ? "class=\"failure\" " : "") + "d=\"M" +
               number(x1) + " " + number(y1) + "C" + middle + " " + number(y1) + " " + middle +
               " " + number(y2) + " " + number(to.x) + " " + number(y2) +
               "\" marker-end=\"url(#arrow)\"/>\n";
    }

    static std::string drawn(const Box& box) {
        std::string svg = "<rect x=\"" + number(box.x) + "\" y=\"" + number(box.y) + "\" width=\"" +
                          number(box.width) + "\" height=\"" + number(box.height) +
                          "\" rx=\"4\"/>\n";
        for (std::size_t i = 0; i < box.lines.size(); ++i)
            svg += "<text x=\"" + number(box.x + margin / 2) + "\" y=\"" +
                   number(box.y + (i + 1) * line) + (i == 0 ? "\" class=\"what" : "") + "\">" +
                   in_xml(box.lines[i]) + "</text>\n";
        return svg;
    }

    static constexpr std::size_t least_width = 160;

    const Plan& plan_;
    std::vector<Box> boxes_;
    std::size_t width_ = 0;
    std::size_t height_ = margin * 3;
};

}  // namespace

std::string to_dot(const Plan& plan) {
    std::string text = "digraph plan {\n  rankdir=LR;\n  node [shape=box];\n";
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto& action = plan.actions[i];
        std::string label;
        for (const auto& line : lines_of(action))  // \l ends a line that stands to the left
            label += replace_all(replace_all(line, "\\", "\\\\"), "\"", "\\\"") + "\\l";
        text += "  n" + std::to_string(i) + " [label=\"" + label + "\"];\n";
        for (const auto earlier : action.after)
            text += "  n" + std::to_string(earlier) + " -> n" + std::to_string(i) +
                    (tolerates(action, earlier) ? " [style=dashed]" : "") + ";\n";
    }
    return text + "}\n";
}

std::string to_mermaid(const Plan& plan) {
    std::string text = "flowchart LR\n";
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto& action = plan.actions[i];
        Strings lines = lines_of(action);
        for (auto& line : lines) {
            line = replace_all(line, "#", "#35;");
            line = replace_all(line, "\"", "#quot;");
            line = replace_all(line, "<", "#lt;");
        }
        text += "  n" + std::to_string(i) + "[\"" + join(lines, "<br/>") + "\"]\n";
        for (const auto earlier : action.after)
            text += "  n" + std::to_string(earlier) +
                    (tolerates(action, earlier) ? " -.-> n" : " --> n") + std::to_string(i) + "\n";
    }
    return text;
}

std::string to_svg(const Plan& plan) {
    return Drawing(plan).text();
}

}  // namespace stack
