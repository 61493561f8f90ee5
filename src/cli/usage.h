#pragma once

// What is wrong with a command line, in a sentence.

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace stack::cli {

/// Names the command, the word that it does not know with the one that was probably meant, and
/// where help is. `app` is the whole program, after the parse that threw `error`.
[[nodiscard]] std::string usage_complaint(const CLI::App& app, const CLI::ParseError& error);

}  // namespace stack::cli
