#include "loader/node.h"

#include <map>
#include <memory>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace stack::loader {
namespace {

constexpr std::size_t most_nodes = 2'000'000;  // of a file with its aliases written out
constexpr std::size_t deepest = 100;
constexpr std::size_t largest_file = 64U << 20U;

/// What ends a parse; caught where it began.
struct Refused {
    Diagnostic diagnostic;
};

class Builder final : public YAML::EventHandler {
  public:
    Builder(const std::string& file, Diagnostics& diagnostics)
        : file_(file), diagnostics_(diagnostics) {}

    std::vector<Node> documents;

    void OnDocumentStart(const YAML::Mark&) override {
        anchors_.clear();
        open_.clear();
        documents.emplace_back();
    }

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Node node;
        node.at = place(mark, 1);
        add(std::move(node), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            refuse(place(mark, 1), "recursive-alias", "an alias stands inside what it names");
        count(found->second.second);
        add(found->second.first, 0);
    }

    void OnScalar(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  const std::string& value) override {
        Node node;
        node.kind = NodeKind::scalar;
        node.at = place(mark, static_cast<int>(value.size()));
        node.value = value;
        node.quoted = tag == "!";  // yaml-cpp's mark of a quoted scalar
        node.tag = tag == "?" || tag == "!" ? "" : tag;
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
        merge_keys(open_.back().node);
        end();
    }

  private:
    struct Open {
        Node node;
        YAML::anchor_t anchor;
        std::size_t first_node;
        bool has_key = false;
        Key key;
    };

    Location place(const YAML::Mark& mark, int length) const {
        return {file_, mark.line + 1, mark.column + 1, std::max(length, 1)};
    }

    [[noreturn]] static void refuse(Location at,
                                    const char* code,
                                    std::string message,
                                    std::string hint = {}) {
        throw Refused{
            {Severity::error, code, std::move(message), std::move(at), std::move(hint), {}}};
    }

    void count(std::size_t nodes) {
        nodes_ += nodes;
        if (nodes_ > most_nodes)
            refuse({file_, 0, 0, 1},
                   "too-large",
                   "the file, with its aliases written out, has more than 2,000,000 values");
    }

    void begin(NodeKind kind,
               const YAML::Mark& mark,
               const std::string& tag,
               YAML::anchor_t anchor) {
        if (open_.size() >= deepest)
            refuse(place(mark, 1), "too-deep", "the file is nested more than 100 levels deep");
        Node node;
        node.kind = kind;
        node.at = place(mark, 1);
        node.tag = tag == "?" ? "" : tag;
        open_.push_back({std::move(node), anchor, nodes_, false, {}});
    }

    void end() {
        Open done = std::move(open_.back());
        open_.pop_back();
        const std::size_t size = nodes_ - done.first_node + 1;
        if (done.anchor != 0)
            anchors_[done.anchor] = {done.node, size};
        add(std::move(done.node), 0);
    }

    void add(Node node, YAML::anchor_t anchor) {
        count(1);
        if (anchor != 0)
            anchors_[anchor] = {node, 1};
        if (open_.empty()) {
            documents.back() = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.kind == NodeKind::sequence) {
            parent.node.items.push_back(std::move(node));
        } else if (!parent.has_key) {
            take_key(parent, node);
        } else {
            parent.has_key = false;
            add_entry(parent, std::move(node));
        }
    }

    void take_key(Open& parent, const Node& node) {
        if (node.kind == NodeKind::mapping || node.kind == NodeKind::sequence)
            refuse(node.at,
                   "key-type",
                   "a key must be a text",
                   "did you mean to quote a value that begins with `{` or `[`?");
        parent.has_key = true;
        parent.key = {node.value, node.at};
    }

    void add_entry(Open& parent, Node node) {
        if (parent.key.text != "<<")
            for (const auto& [key, value] : parent.node.entries)
                if (key.text == parent.key.text) {
                    diagnostics_.push_back({Severity::error,
                                            "duplicate-key",
                                            "key `" + key.text + "` is given twice",
                                            parent.key.at,
                                            "remove one of the two",
                                            {{"first given here", key.at}}});
                    return;
                }
        parent.node.entries.emplace_back(std::move(parent.key), std::move(node));
    }

    /// YAML 1.1's `<<`: what the mapping does not say itself comes from the named ones, the first
    /// of them first.
    static void merge_keys(Node& mapping) {
        std::vector<Node> sources;
        for (auto entry = mapping.entries.begin(); entry != mapping.entries.end();) {
            if (entry->first.text != "<<") {
                ++entry;
                continue;
            }
            if (entry->second.is_sequence())
                for (auto& item : entry->second.items)
                    sources.push_back(std::move(item));
            else
                sources.push_back(std::move(entry->second));
            entry = mapping.entries.erase(entry);
        }
        for (const auto& source : sources)
            for (const auto& [key, value] : source.entries)
                if (mapping.find(key.text) == nullptr)
                    mapping.entries.emplace_back(key, value);
    }

    const std::string& file_;
    Diagnostics& diagnostics_;
    std::map<YAML::anchor_t, std::pair<Node, std::size_t>> anchors_;
    std::vector<Open> open_;
    std::size_t nodes_ = 0;
};

/// yaml-cpp's words for what people do most often.
std::string hint_for(const std::string& message, const std::string& line) {
    if (line.find('\t') != std::string::npos)
        return "YAML is indented with blanks; this line has a tab";
    if (message.find("illegal map value") != std::string::npos)
        return "a value that holds `: ` must be quoted";
    if (message.find("end of map not found") != std::string::npos)
        return "is the line indented as its neighbours are?";
    if (message.find("end of sequence not found") != std::string::npos)
        return "are all `- ` of the list at the same column?";
    return {};
}

std::string line_of(const std::string& text, int line) {
    std::istringstream stream(text);
    std::string current;
    for (int i = 0; i <= line && std::getline(stream, current); ++i) {
    }
    return current;
}

}  // namespace

const Node* Node::find(const std::string& key) const {
    for (const auto& [name, node] : entries)
        if (name.text == key)
            return &node;
    return nullptr;
}

Node* Node::find(const std::string& key) {
    return const_cast<Node*>(std::as_const(*this).find(key));
}

std::string described(const Node& node) {
    switch (node.kind) {
        case NodeKind::null:
            return "nothing";
        case NodeKind::scalar:
            return "the text \"" + node.value.substr(0, 40) + "\"";
        case NodeKind::sequence:
            return "a list";
        case NodeKind::mapping:
            return "a mapping";
    }
    return {};
}

std::vector<Node> parse_yaml(const std::string& file,
                             const std::string& text,
                             Diagnostics& diagnostics) {
    if (text.size() > largest_file) {
        diagnostics.push_back({Severity::error,
                               "too-large",
                               "the file is larger than 64 MiB",
                               {file, 0, 0, 1},
                               "",
                               {}});
        return {};
    }
    Builder builder(file, diagnostics);
    std::istringstream stream(text);
    try {
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refused& refused) {
        diagnostics.push_back(refused.diagnostic);
        return {};
    } catch (const YAML::Exception& error) {
        const int line = std::max(error.mark.line, 0);
        diagnostics.push_back({Severity::error,
                               "yaml-syntax",
                               "this is not YAML: " + error.msg,
                               {file, line + 1, std::max(error.mark.column, 0) + 1, 1},
                               hint_for(error.msg, line_of(text, line)),
                               {}});
        return {};
    }
    return std::move(builder.documents);
}

}  // namespace stack::loader
