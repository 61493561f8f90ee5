#pragma once

// The supervisor's socket, by a path that is always short enough for sockaddr_un (unix(7): 108
// bytes), however long the root's is.

#include "sys/file.h"

#include <string>

namespace stack::supervise {

class SocketPath {
  public:
    explicit SocketPath(const std::string& directory) : path_(directory + "/supervisor.sock") {
        if (sys::is_directory(directory))
            directory_ = sys::open_directory(directory);
    }

    [[nodiscard]] bool is_there() const { return directory_ && sys::exists(path_); }

    [[nodiscard]] const std::string& file() const { return path_; }

    /// Valid while this object lives.
    [[nodiscard]] std::string text() const {
        return "/proc/self/fd/" + std::to_string(directory_.get()) + "/supervisor.sock";
    }

  private:
    std::string path_;
    sys::Fd directory_;
};

}  // namespace stack::supervise
