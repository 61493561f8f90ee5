#pragma once

// Programs under test: run to their end, with what they said.

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace stack::test {

struct Command {
    std::vector<std::string> words;  // the program first: a path, or a name for $PATH
    std::string input;
    std::map<std::string, std::string> environment;  // above this process's own
    std::string directory;                           // empty: this process's own
    std::chrono::milliseconds deadline = std::chrono::seconds(60);
};

struct Result {
    int status = 0;  // as a shell has it: exit code, or 128 + signal
    std::string out;
    std::string err;
};

/// Waits for the end of the program and of what it prints. Past the deadline it is killed; that, and
/// a descendant that holds its output open, are failures of the running test.
[[nodiscard]] Result run(const Command& command);
[[nodiscard]] Result run(std::vector<std::string> words);

/// `stack`, as it was built, in a project directory of its own with a root of its own.
class StackProgram {
  public:
    /// In `directory` (made if it is not there), or in a new one below the sandbox's.
    explicit StackProgram(std::string directory = {});

    [[nodiscard]] Result run(std::vector<std::string> arguments,
                             std::map<std::string, std::string> environment = {},
                             const std::string& input = {}) const;
    /// As run(), and a failure of the running test where the status is not 0. Returns standard
    /// output.
    std::string must(std::vector<std::string> arguments) const;

    /// Writes a file of the project.
    void write(const std::string& name, const std::string& text) const;

    [[nodiscard]] const std::string& directory() const { return directory_; }

    /// Where it keeps its state (--root).
    [[nodiscard]] const std::string& root() const { return root_; }

  private:
    std::string directory_;
    std::string root_;
};

}  // namespace stack::test
