#include "sys/prompt.h"

#include "sys/terminal.h"

#include <iostream>

#include <termios.h>
#include <unistd.h>

namespace stack::sys {
namespace {

/// The terminal echoes nothing while this lives.
class Silence {
  public:
    Silence() {
        active_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (active_)
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }

    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

    ~Silence() {
        if (active_)
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }

  private:
    termios before_{};
    bool active_ = false;
};

}  // namespace

std::string ask_line(const std::string& question) {
    write_err(question);
    std::string line;
    std::getline(std::cin, line);
    return line;
}

std::string ask_secret(const std::string& question) {
    const Silence silence;
    std::string line = ask_line(question);
    write_err("\n");
    return line;
}

}  // namespace stack::sys
