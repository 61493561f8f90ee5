#pragma once

// Our unix sockets, by paths that are always short enough for sockaddr_un (unix(7): 108 bytes),
// however long the root's is.

#include "sys/fd.h"

#include <string>

namespace stack::sys {

class SocketPath {
  public:
    SocketPath(const std::string& directory, const std::string& name);

    [[nodiscard]] bool is_there() const;

    [[nodiscard]] const std::string& file() const { return path_; }

    /// Valid while this object lives.
    [[nodiscard]] std::string text() const;

  private:
    std::string path_;
    std::string name_;
    Fd directory_;
};

/// Whether a unix socket has this path, links followed.
[[nodiscard]] bool is_socket(const std::string& path);

/// A socket that listens there, non-blocking. Throws where something is there already.
[[nodiscard]] Fd listen_at(const SocketPath& path);

/// A connection to whoever listens there, non-blocking; none where nobody does.
[[nodiscard]] Fd connect_to(const SocketPath& path);

}  // namespace stack::sys
