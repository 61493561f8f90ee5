#pragma once

// What the world refused: the one exception class of the program.
//
// The message is a sentence that names the object, the cause and, where there is one, the way out;
// the code says which kind. Library code throws it and does not catch it; it is caught in main(),
// per action in the plan executor, in the set-up stage of a container and at the edge of a request
// to the supervisor.

#include <string>
#include <system_error>

namespace stack {

class Error : public std::system_error {
  public:
    /// `message` is complete as it stands: the text of `code` is not appended.
    Error(std::error_code code, std::string message)
        : std::system_error(code), message_(std::move(message)) {}

    /// An error with no code of the operating system behind it.
    explicit Error(std::string message)
        : Error(std::make_error_code(std::errc::invalid_argument), std::move(message)) {}

    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  private:
    std::string message_;
};

}  // namespace stack
