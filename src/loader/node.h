#pragma once

// A stack file as a tree that remembers where each word stands.

#include <stack/diagnostics.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace stack::loader {

enum class NodeKind : char { null, scalar, sequence, mapping };

enum class Tag : char { none, reset, override };  // what `!reset` and `!override` ask of a merge

/// Where a word stands. A big stack has a million words, so the file's name is not theirs: whoever
/// parses keeps it for as long as there are nodes.
struct Place {
    const std::string* file = nullptr;
    int line = 0;
    int column = 0;
    int length = 1;

    operator Location() const {  // NOLINT(google-explicit-constructor): it says the same
        return {file == nullptr ? std::string() : *file, line, column, length};
    }
};

struct Key {
    std::string text;
    Place at;
};

struct Entry;

struct Node {
    Node();
    Node(const Node&);
    Node(Node&&) noexcept;
    Node& operator=(const Node&);
    Node& operator=(Node&&) noexcept;
    ~Node();

    Place at;
    NodeKind kind = NodeKind::null;
    Tag tag = Tag::none;
    bool quoted = false;   // a quoted scalar is a string, whatever it looks like
    bool number = false;   // a plain scalar that is one: its value is decimal
    bool octal = false;    // and that was written in octal
    bool boolean = false;  // a plain scalar that is `true` or `false`
    std::string value;     // of a scalar: as written, but for numbers, and `true` and `false`
    std::vector<Node> items;
    std::vector<Entry> entries;  // of a mapping, in the order of the file

    [[nodiscard]] const Node* find(std::string_view key) const;
    [[nodiscard]] Node* find(std::string_view key);

    [[nodiscard]] bool is_mapping() const { return kind == NodeKind::mapping; }

    [[nodiscard]] bool is_sequence() const { return kind == NodeKind::sequence; }

    [[nodiscard]] bool is_scalar() const { return kind == NodeKind::scalar; }

    [[nodiscard]] bool is_null() const { return kind == NodeKind::null; }
};

struct Entry {
    Key key;
    Node value;
};

inline Node::Node() = default;
inline Node::Node(const Node&) = default;
inline Node::Node(Node&&) noexcept = default;
inline Node& Node::operator=(const Node&) = default;
inline Node& Node::operator=(Node&&) noexcept = default;
inline Node::~Node() = default;

[[nodiscard]] Node empty_mapping();

/// "a mapping", "a list", "the text "…"", "the number 5", "the boolean true", "nothing".
[[nodiscard]] std::string described(const Node& node);

/// Where each key of a mapping stands in `entries`, for work that looks up many of them.
using KeyIndex = std::unordered_map<std::string, std::size_t>;
[[nodiscard]] KeyIndex index_of(const Node& mapping);

class Reporter;
class Budget;

/// The documents of a file, whose name must outlive them. What is wrong (syntax, duplicate keys,
/// too deep) is reported; all that is read, with its aliases written out, is paid for from
/// `budget`.
[[nodiscard]] std::vector<Node> parse_yaml(const std::string& file,
                                           const std::string& text,
                                           Reporter& reporter,
                                           Budget& budget);

}  // namespace stack::loader
