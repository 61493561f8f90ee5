#include "loader/node.h"

#include "base/text.h"
#include "loader/budget.h"
#include "loader/scalar.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace stack::loader {
namespace {

/// Ends a parse whose reason is reported; caught where it began.
struct Refused {};

/// The parser counts bytes, a reader characters.
class Text {
  public:
    explicit Text(const std::string& text) : text_(text), line_starts_{0} {
        for (std::size_t i = 0; i < text.size(); ++i)
            if (text[i] == '\n')
                line_starts_.push_back(i + 1);
    }

    /// From 1. Marks come in the order of the text, so that each line is counted through once.
    int column_of(const YAML::Mark& mark) {
        const std::size_t begin = offset_of(mark.line, 0);
        const auto bytes = static_cast<std::size_t>(std::max(mark.column, 0));
        if (mark.line != line_ || bytes < bytes_) {
            line_ = mark.line;
            bytes_ = 0;
            characters_ = 0;
        }
        characters_ +=
            characters(text_.substr(std::min(begin + bytes_, text_.size()), bytes - bytes_));
        bytes_ = bytes;
        return static_cast<int>(characters_) + 1;
    }

    /// Whether a quote opens there that nothing closes.
    [[nodiscard]] bool is_open_quote(const YAML::Mark& mark) const {
        const std::size_t begin = offset_of(mark.line, mark.column);
        const char quote = begin < text_.size() ? text_[begin] : '\0';
        if (quote != '"' && quote != '\'')
            return false;
        std::size_t i = begin + 1;
        while (i < text_.size() && text_[i] != quote)
            i += quote == '"' && text_[i] == '\\' ? std::size_t{2} : std::size_t{1};
        return i >= text_.size();
    }

  private:
    [[nodiscard]] std::size_t offset_of(int line, int column) const {
        const auto index = static_cast<std::size_t>(std::max(line, 0));
        const std::size_t start = index < line_starts_.size() ? line_starts_[index] : text_.size();
        const std::size_t mark = index == 0 && text_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
        return start + mark + static_cast<std::size_t>(std::max(column, 0));
    }

    std::string_view text_;
    std::vector<std::size_t> line_starts_;
    int line_ = -1;
    std::size_t bytes_ = 0;
    std::size_t characters_ = 0;
};

Tag tag_of(std::string_view tag) {
    return tag == "!reset" ? Tag::reset : tag == "!override" ? Tag::override : Tag::none;
}

class Builder final : public YAML::EventHandler {
  public:
    Builder(const std::string& file, const std::string& text, Reporter& reporter, Budget& budget)
        : file_(file), text_(text), reporter_(reporter), budget_(budget) {}

    std::vector<Node> documents;

    void OnDocumentStart(const YAML::Mark& mark) override {
        pay({1, 0, 0}, place(mark, 1));
        anchors_.clear();
        open_.clear();
        last_quote_.reset();
        documents.emplace_back();
    }

    /// yaml-cpp takes the rest of a file for the text of a quote that is never closed.
    void OnDocumentEnd() override {
        if (last_quote_ && text_.is_open_quote(*last_quote_))
            refuse(place(*last_quote_, 1),
                   "yaml-syntax",
                   "this is not YAML: the quote that opens here is never closed");
    }

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Node node;
        node.at = place(mark, 1);
        add(std::move(node), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            refuse(place(mark, 1), "recursive-alias", "an alias stands inside what it names");
        const auto& [node, extent] = found->second;
        if (open_.size() + extent.depth > deepest_nesting)
            refuse_depth(place(mark, 1));
        pay(extent, place(mark, 1));
        put(Node(node));
    }

    void OnScalar(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  const std::string& value) override {
        Node node;
        node.kind = NodeKind::scalar;
        node.at = place(mark, static_cast<int>(characters(value)));
        node.value = value;
        node.quoted = tag != "?" && !tag.empty() && tag_of(tag) == Tag::none;  // or tagged a text
        if (node.quoted)
            last_quote_ = mark;
        node.tag = tag_of(tag);
        if (!node.quoted && (value == "null" || value == "~" || value == "Null" || value == "NULL"))
            node.kind = NodeKind::null;
        add(std::move(node), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark,
                         const std::string& tag,
                         YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        begin(NodeKind::sequence, mark, tag, anchor);
    }

    void OnSequenceEnd() override { end(); }

    void OnMapStart(const YAML::Mark& mark,
                    const std::string& tag,
                    YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        begin(NodeKind::mapping, mark, tag, anchor);
    }

    void OnMapEnd() override {
        merge_keys(open_.back());
        end();
    }

  private:
    struct Open {
        Node node;
        YAML::anchor_t anchor;
        KeyIndex keys;
        bool has_key = false;
        Key key;
    };

    Place place(const YAML::Mark& mark, int length) {
        return {&file_, mark.line + 1, text_.column_of(mark), std::max(length, 1)};
    }

    [[noreturn]] void refuse(const Location& at,
                             const char* code,
                             std::string message,
                             std::string hint = {}) {
        reporter_.error(at, code, std::move(message), std::move(hint));
        throw Refused{};
    }

    [[noreturn]] void refuse_depth(const Place& at) {
        refuse(at, "too-deep", "the file is nested more than 100 levels deep here");
    }

    void pay(const Extent& extent, const Place& at) {
        if (!budget_.spend(extent, at))
            throw Refused{};
    }

    void begin(NodeKind kind,
               const YAML::Mark& mark,
               const std::string& tag,
               YAML::anchor_t anchor) {
        if (open_.size() >= deepest_nesting)
            refuse_depth(place(mark, 1));
        Node node;
        node.kind = kind;
        node.at = place(mark, 1);
        node.tag = tag_of(tag);
        open_.push_back({std::move(node), anchor, {}, false, {}});
    }

    void end() {
        Open done = std::move(open_.back());
        open_.pop_back();
        add(std::move(done.node), done.anchor);
    }

    void add(Node&& node, YAML::anchor_t anchor) {
        pay({1, node.value.size(), 0}, node.at);
        if (anchor != 0) {
            const Extent extent = extent_of(node);
            pay(extent, node.at);
            anchors_[anchor] = {node, extent};
        }
        put(std::move(node));
    }

    void put(Node&& node) {
        const bool is_key = !open_.empty() && open_.back().node.is_mapping() &&
                            !open_.back().has_key;  // which is a text, whatever it looks like
        if (!is_key)
            take_for_what_it_is(node);
        if (open_.empty()) {
            documents.back() = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.kind == NodeKind::sequence) {
            parent.node.items.push_back(std::move(node));
        } else if (is_key) {
            take_key(parent, node);
        } else {
            parent.has_key = false;
            add_entry(parent, std::move(node));
        }
    }

    static void take_for_what_it_is(Node& node) {
        if (!node.is_scalar() || node.quoted)
            return;
        auto number = number_text(node.value);
        node.number = number.has_value();
        node.octal = node.number && node.value.starts_with('0') &&
                     node.value.find_first_not_of("01234567oO_") == std::string::npos;
        auto boolean = number ? std::nullopt : boolean_text(node.value);
        node.boolean = boolean.has_value();
        if (number || boolean)
            node.value = std::move(number ? *number : *boolean);
    }

    void take_key(Open& parent, const Node& node) {
        if (node.kind == NodeKind::mapping || node.kind == NodeKind::sequence)
            refuse(node.at,
                   "key-type",
                   "a key must be a text",
                   "did you mean to quote a value that begins with `{` or `[`?");
        if (!node.quoted && (number_text(node.value) || boolean_text(node.value)))
            reporter_.error(node.at,
                            "key-type",
                            "a key must be a text, and `" + node.value + "` is none",
                            "write it in quotes: \"" + node.value + "\"");
        parent.has_key = true;
        parent.key = {node.value, node.at};
    }

    void add_entry(Open& parent, Node&& node) {
        auto& entries = parent.node.entries;
        if (parent.key.text != "<<") {
            const auto [known, is_new] = parent.keys.emplace(parent.key.text, entries.size());
            if (!is_new) {
                reporter_.error(parent.key.at,
                                "duplicate-key",
                                "key `" + parent.key.text + "` is given twice",
                                "remove one of the two",
                                {{"first given here", entries[known->second].key.at}});
                return;
            }
        }
        if (node.is_null())
            node.at = parent.key.at;  // nothing stands behind its key
        entries.push_back({std::move(parent.key), std::move(node)});
    }

    /// YAML 1.1's `<<`: what the mapping does not say itself comes from the named ones, the first
    /// of them first.
    void merge_keys(Open& open) {
        auto& entries = open.node.entries;
        std::vector<Node> sources;
        for (auto& [key, value] : entries) {
            if (key.text != "<<")
                continue;
            if (value.is_sequence())
                std::move(value.items.begin(), value.items.end(), std::back_inserter(sources));
            else
                sources.push_back(std::move(value));
        }
        if (sources.empty())
            return;
        std::erase_if(entries, [](const auto& entry) { return entry.key.text == "<<"; });
        for (auto& source : sources) {
            if (!source.is_mapping())
                reporter_.wrong_type(source, "`<<`", "a mapping or a list of mappings");
            for (auto& [key, value] : source.entries)
                if (open.keys.emplace(key.text, entries.size()).second)
                    entries.push_back({std::move(key), std::move(value)});
        }
    }

    const std::string& file_;
    Text text_;
    Reporter& reporter_;
    Budget& budget_;
    std::optional<YAML::Mark> last_quote_;
    std::map<YAML::anchor_t, std::pair<Node, Extent>> anchors_;
    std::vector<Open> open_;
};

bool begins_number(const std::string& text) {
    return !text.empty() &&
           std::string_view("0123456789-+.").find(text[0]) != std::string_view::npos;
}

/// The first line with too many brackets, tags and anchors; 0 where none is. The parser keeps them
/// all until the line ends, because the first might begin a key.
int overfull_line(std::string_view text) {
    int line = 1;
    std::size_t marks = 0;
    for (const char c : text) {
        if (c == '\n') {
            ++line;
            marks = 0;
        } else if (c == '[' || c == ']' || c == '{' || c == '}' || c == '!' || c == '&' ||
                   c == '*') {
            if (++marks > most_marks)
                return line;
        }
    }
    return 0;
}

/// The line where a merge of a version control system was left undone; 0 where none was.
int conflict_line(const std::string& text) {
    int number = 0;
    for (const auto& line : split(text, '\n')) {
        ++number;
        if (line.starts_with("<<<<<<< "))
            return number;
    }
    return 0;
}

/// yaml-cpp's words for what people do most often. `rest` is the line from where it gave up.
std::string hint_for(const std::string& message, const std::string& line, const std::string& rest) {
    if (!rest.empty() && std::string_view("@%`").find(rest[0]) != std::string_view::npos)
        return std::string("a value that begins with `") + rest[0] + "` must be quoted";
    if (line.find('\t') != std::string::npos)
        return "YAML is indented with blanks; this line has a tab";
    if (message.find("illegal map value") != std::string::npos)
        return "a value that holds `: ` must be quoted";
    if (message.find("end of map not found") != std::string::npos)
        return "is the line indented as its neighbours are?";
    if (message.find("end of sequence flow") != std::string::npos)
        return "a `[` before it is never closed";
    if (message.find("end of map flow") != std::string::npos)
        return "a `{` before it is never closed";
    if (message.find("anchor is not defined") != std::string::npos)
        return "its `&name` must stand before it, in the same file";
    if (message.find("end of sequence not found") != std::string::npos)
        return "are all `- ` of the list at the same column?";
    return {};
}

/// Where the parser gave up: on the last line that says something, where it ran to the end.
Location place_of(const YAML::Exception& error, const std::string& file, const std::string& text) {
    const auto lines = split(text, '\n');
    auto line = std::min(static_cast<std::size_t>(std::max(error.mark.line, 0)), lines.size() - 1);
    if (!trim(lines[line]).empty())
        return {file, static_cast<int>(line) + 1, Text(text).column_of(error.mark), 1};
    while (line > 0 && trim(lines[line]).empty())
        --line;
    return {file,
            static_cast<int>(line) + 1,
            std::max(1, static_cast<int>(characters(lines[line]))),
            1};
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    for (const auto& [name, node] : entries)
        if (name.text == key)
            return &node;
    return nullptr;
}

Node* Node::find(std::string_view key) {
    return const_cast<Node*>(std::as_const(*this).find(key));
}

Node empty_mapping() {
    Node node;
    node.kind = NodeKind::mapping;
    return node;
}

std::string described(const Node& node) {
    switch (node.kind) {
        case NodeKind::null:
            return "nothing";
        case NodeKind::scalar:
            if (node.number || node.boolean)
                return (node.number ? "the number " : "the boolean ") + node.value;
            return (begins_number(node.value) ? "\"" : "the text \"") + shortened(node.value) +
                   "\"";
        case NodeKind::sequence:
            return "a list";
        case NodeKind::mapping:
            return "a mapping";
    }
    return {};
}

KeyIndex index_of(const Node& mapping) {
    KeyIndex index;
    for (std::size_t i = 0; i < mapping.entries.size(); ++i)
        index.emplace(mapping.entries[i].key.text, i);
    return index;
}

std::vector<Node> parse_yaml(const std::string& file,
                             const std::string& text,
                             Reporter& reporter,
                             Budget& budget) {
    const bool is_utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
    if (const auto bad = find_invalid_utf8(text); bad != std::string::npos && !is_utf16) {
        const std::string before = text.substr(0, bad);
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const std::size_t begin = before.find_last_of('\n') + 1;
        reporter.error({file,
                        static_cast<int>(line),
                        static_cast<int>(characters(before.substr(begin))) + 1,
                        1},
                       "yaml-syntax",
                       "this is not YAML: here the text is not UTF-8",
                       "save the file as UTF-8");
        return {};
    }
    if (const int line = overfull_line(text); line != 0) {
        reporter.error({file, line, 1, 1},
                       "too-large",
                       "this line has more than 500,000 brackets, tags and anchors",
                       "break it into several");
        return {};
    }
    Builder builder(file, text, reporter, budget);
    std::istringstream stream(text);
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refused&) {
        return {};
    } catch (const YAML::Exception& error) {
        if (const int conflict = conflict_line(text); conflict != 0) {
            reporter.error({file, conflict, 1, 7},
                           "merge-conflict",
                           "a merge was left undone here",
                           "choose one of the two sides and remove the marks");
            return {};
        }
        const Location at = place_of(error, file, text);
        const std::string line = split(text, '\n').at(static_cast<std::size_t>(at.line) - 1);
        const auto column =
            std::min(static_cast<std::size_t>(std::max(error.mark.column, 0)), line.size());
        reporter.error(at,
                       "yaml-syntax",
                       "this is not YAML: " + error.msg,
                       hint_for(error.msg, line, line.substr(column)));
        return {};
    }
    return std::move(builder.documents);
}

}  // namespace stack::loader
