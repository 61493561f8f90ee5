#pragma once

// Bytes on their way from one descriptor to another, as fast as they are taken and no faster.

#include <cstddef>
#include <optional>
#include <string>

#include <poll.h>

namespace stack::shim {

class Flow {
  public:
    /// Takes both over, but for standard streams, which stay open. -1: there is nothing to carry.
    Flow(int from, int to);

    ~Flow() { end(); }

    Flow(const Flow&) = delete;
    Flow& operator=(const Flow&) = delete;

    /// What to wait for before the next move().
    [[nodiscard]] pollfd awaited() const;
    /// Moves what one end has and the other takes; ends where either has gone. What nobody takes
    /// any more is not read either: who writes it is told by SIGPIPE, as if there were no flow
    /// between.
    void move();
    /// What is in the pipe now is the last of it.
    void limit_to_present();
    void end();

    [[nodiscard]] bool is_open() const { return from_ >= 0; }

    /// Whether there are bytes that the other end does not take yet.
    [[nodiscard]] bool is_held() const { return is_held_; }

  private:
    [[nodiscard]] bool splice();
    [[nodiscard]] bool copy();
    [[nodiscard]] bool has_come(long count);

    int from_;
    int to_;
    bool is_spliced_;
    bool is_held_ = false;
    std::optional<std::size_t> left_;
    std::string waiting_;  // read, and not taken yet
};

/// Makes a pipe.
void make_pipe(int& reader, int& writer);

}  // namespace stack::shim
