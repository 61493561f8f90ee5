#pragma once

// Between a command and the helper that makes or enters a container for it.

#include "oci/fields.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stack::oci {

/// Descriptors of the helper that the program is to have from 3 on lie here meanwhile.
constexpr int first_preserved = 32;

/// A connection to whoever wants the terminal; none where `path` is empty.
[[nodiscard]] sys::Fd connect_console(const std::string& path);

/// Throws where nobody would have the terminal, or there is none to have.
void check_terminal(bool terminal, bool detached, const std::string& console_socket);

/// Throws where one of them is not open. To be asked before anything is opened here.
void check_preserved(std::uint32_t count);

/// This program's descriptors from 3 on, so many, to the helper.
void add_preserved(std::uint32_t count, std::vector<std::pair<int, int>>& descriptors);

/// What is said on a pipe, in lines; the rest where it ends without one is a fault.
class Lines {
  public:
    explicit Lines(sys::Fd pipe) : pipe_(std::move(pipe)) {}

    /// nullopt at the end.
    [[nodiscard]] std::optional<std::string> next();

    /// "<code> <sentence>"; empty where there is none.
    [[nodiscard]] const std::string& rest() const { return text_; }

  private:
    sys::Fd pipe_;
    std::string text_;
};

/// The failure that the shim tells of as "<code> <sentence>".
[[nodiscard]] Error fault(const std::string& what, const std::string& text);

/// Passes signals on to a child until it ends; its status as a shell has it.
[[nodiscard]] int wait_and_relay(const sys::Child& child);

/// Nothing where `path` is empty.
void write_pid_file(const std::string& path, int pid);

}  // namespace stack::oci
