#pragma once

// A stack file as a tree that remembers where each word stands.

#include <stack/diagnostics.h>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace stack::loader {

enum class NodeKind { null, scalar, sequence, mapping };

struct Key {
    std::string text;
    Location at;
};

struct Node {
    NodeKind kind = NodeKind::null;
    Location at;
    std::string value;    // of a scalar, as written
    bool quoted = false;  // a quoted scalar is a string, whatever it looks like
    std::string tag;      // !reset, !override
    std::vector<Node> items;
    std::vector<std::pair<Key, Node>> entries;

    [[nodiscard]] const Node* find(const std::string& key) const;
    [[nodiscard]] Node* find(const std::string& key);

    [[nodiscard]] bool is_mapping() const { return kind == NodeKind::mapping; }

    [[nodiscard]] bool is_sequence() const { return kind == NodeKind::sequence; }

    [[nodiscard]] bool is_scalar() const { return kind == NodeKind::scalar; }

    [[nodiscard]] bool is_null() const { return kind == NodeKind::null; }
};

/// "a mapping", "a list", "the text "…"", "nothing".
[[nodiscard]] std::string described(const Node& node);

/// Where each key of a mapping stands in `entries`, for work that looks up many of them.
using KeyIndex = std::unordered_map<std::string, std::size_t>;
[[nodiscard]] KeyIndex index_of(const Node& mapping);

class Reporter;
class Budget;

/// The documents of a file. What is wrong (syntax, duplicate keys, too deep) is reported; all that
/// is read, with its aliases written out, is paid for from `budget`.
[[nodiscard]] std::vector<Node> parse_yaml(const std::string& file,
                                           const std::string& text,
                                           Reporter& reporter,
                                           Budget& budget);

}  // namespace stack::loader
