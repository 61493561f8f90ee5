#pragma once

// A container's standard input: what has been sent to it and it has not read yet.

#include <string>
#include <string_view>

namespace stack::shim {

class Input {
  public:
    Input() = default;
    ~Input();
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    /// Takes the descriptor over: a pipe or a terminal, which a write never blocks on from now. -1:
    /// the container has no input, and what is sent to it is dropped.
    void open(int fd);

    void add(std::string_view bytes);
    /// Closes it when all that was added is written.
    void end();
    /// Writes what it takes now.
    void flush();

    /// Whether nothing more is to be added before the container reads.
    [[nodiscard]] bool is_full() const;

    /// What to wait on until it can be written to; -1 where nothing waits.
    [[nodiscard]] int waits_on() const { return waiting_.empty() ? -1 : fd_; }

  private:
    void close();

    int fd_ = -1;
    std::string waiting_;
    bool ending_ = false;
};

}  // namespace stack::shim
