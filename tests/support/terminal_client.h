#pragma once

// A program at a terminal, and the test as the person who sits there.

#include "sys/process.h"

#include <string>
#include <vector>

namespace stack::test {

class TerminalClient {
  public:
    TerminalClient(std::vector<std::string> words,
                   const std::string& directory,
                   int rows,
                   int columns);

    void type(const std::string& keys) const;
    void resize(int rows, int columns) const;
    /// Reads until the screen has shown `text`; false where it ends, or half a minute passes,
    /// before.
    [[nodiscard]] bool shows(const std::string& text);

    /// The program's status, when it has ended.
    [[nodiscard]] int wait();

    /// Whether what is typed is printed and edited as at a shell's prompt.
    [[nodiscard]] bool is_cooked() const;

    [[nodiscard]] const std::string& screen() const { return screen_; }

  private:
    sys::Fd terminal_;
    sys::Child child_;
    std::string screen_;
};

}  // namespace stack::test
