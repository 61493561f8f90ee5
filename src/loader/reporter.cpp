#include "loader/reporter.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace stack::loader {
namespace {

constexpr std::size_t most_complaints = 100;

}  // namespace

bool Reporter::is_full() const {
    return errors_ > most_complaints;
}

bool Reporter::has_errors() const {
    return errors_ > 0;
}

void Reporter::add(std::size_t& count, Diagnostic diagnostic) {
    ++count;
    if (count <= most_complaints)
        diagnostics_.push_back(std::move(diagnostic));
    else if (count == most_complaints + 1)
        diagnostics_.push_back({diagnostic.severity,
                                "too-many",
                                "there is more like this, which is not shown",
                                {},
                                "",
                                {}});
}

void Reporter::error(const Location& at,
                     const char* code,
                     std::string message,
                     std::string hint,
                     std::vector<Note> notes) {
    add(errors_,
        {Severity::error, code, std::move(message), at, std::move(hint), std::move(notes)});
}

void Reporter::warning(const Location& at,
                       const char* code,
                       std::string message,
                       std::string hint) {
    add(warnings_, {Severity::warning, code, std::move(message), at, std::move(hint), {}});
}

void Reporter::unknown(
    const Location& at, const char* code, std::string message, std::string hint, Strings expected) {
    add(errors_,
        {Severity::error, code, std::move(message), at, std::move(hint), {}, std::move(expected)});
}

void Reporter::wrong_type(const Node& node,
                          const std::string& what,
                          const std::string& expected,
                          std::string hint) {
    error(node.at,
          "wrong-type",
          what + " must be " + expected + ", not " + described(node),
          std::move(hint));
}

void Reporter::malformed(const Node& node, const std::string& what, const Malformed& problem) {
    Location at = node.at;
    const std::string_view value = node.value;
    const std::size_t offset = std::min(problem.offset, value.size());
    at.column += static_cast<int>(characters(value.substr(0, offset))) + (node.quoted ? 1 : 0);
    at.length = std::max(1, static_cast<int>(characters(value.substr(offset))));
    error(at,
          "malformed",
          what + ": \"" + shortened(node.value) + "\" is malformed",
          problem.message);
}

std::string shortened(const std::string& value) {
    constexpr std::size_t most = 80;
    if (value.size() <= most)
        return value;
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80U)
        --end;  // not in the middle of a character
    return value.substr(0, end) + "…";
}

}  // namespace stack::loader
