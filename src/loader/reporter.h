#pragma once

// What is wrong with a stack file, said where it is.

#include <stack/diagnostics.h>
#include <stack/model.h>

#include "base/expected.h"
#include "loader/node.h"

#include <cstddef>
#include <string>
#include <vector>

namespace stack::loader {

/// Collects complaints; after the first hundred errors (and warnings) it only says that there are
/// more.
class Reporter {
  public:
    explicit Reporter(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    /// Nobody will see further errors: work that only finds more of them can stop.
    [[nodiscard]] bool is_full() const;
    [[nodiscard]] bool has_errors() const;

    void error(const Location& at,
               const char* code,
               std::string message,
               std::string hint = {},
               std::vector<Note> notes = {});
    void warning(const Location& at, const char* code, std::string message, std::string hint = {});
    /// An error where one of the words `expected` should stand.
    void unknown(const Location& at,
                 const char* code,
                 std::string message,
                 std::string hint,
                 Strings expected);
    /// "`ports` must be a list, not the text "80"".
    void wrong_type(const Node& node,
                    const std::string& what,
                    const std::string& expected,
                    std::string hint = {});
    /// `problem` inside the scalar `node`.
    void malformed(const Node& node, const std::string& what, const Malformed& problem);

  private:
    void add(std::size_t& count, Diagnostic diagnostic);

    Diagnostics& diagnostics_;
    std::size_t errors_ = 0;
    std::size_t warnings_ = 0;
};

/// A value as messages quote it: its beginning, where it is long.
[[nodiscard]] std::string shortened(const std::string& value);

}  // namespace stack::loader
