#pragma once

// Ways through trees that others wrote, however deep: a program in a container makes directories
// a million deep in a moment. So nothing here recurses, holds a descriptor a level, or names a
// place by its whole path.

#include "sys/fd.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace stack::sys {

/// The way down from a directory, and up again. Only the lowest directories are kept open: those
/// above are opened again through `..`, and must be what they were, wherever a tree is moved
/// meanwhile.
class Descent {
  public:
    /// `top` is opened again, to read.
    explicit Descent(const Fd& top);

    /// The directory that the way has come to.
    [[nodiscard]] const Fd& here() const { return levels_.back().directory; }

    [[nodiscard]] const struct stat& status() const { return status_; }

    [[nodiscard]] bool at_top() const { return levels_.size() == 1; }

    /// Into the directory `name` itself, never through a link. False where it is none (any more).
    [[nodiscard]] bool try_enter(const std::string& name);
    /// The same where it must be one.
    void enter(const std::string& name);
    /// REQUIRES: !at_top().
    void leave();

  private:
    struct Level {
        Fd directory;  // none where it is far above
        dev_t device = 0;
        ino_t inode = 0;
    };

    void add(Fd directory);

    std::vector<Level> levels_;

    struct stat status_ {};  // of here()
};

/// The names below a directory, in order, each before those below it.
class TreeWalk {
  public:
    explicit TreeWalk(const Fd& top);

    [[nodiscard]] const Fd& here() const { return descent_.here(); }

    [[nodiscard]] const struct stat& status() const { return descent_.status(); }

    [[nodiscard]] bool at_top() const { return descent_.at_top(); }

    /// All names of here(), which is listed when they are first asked for.
    [[nodiscard]] const std::vector<std::string>& names();

    /// The next name of here(); nullopt after its last one.
    [[nodiscard]] std::optional<std::string> next();

    /// As Descent has it: the names of that directory come next.
    [[nodiscard]] bool try_enter(const std::string& name);
    void enter(const std::string& name);
    /// Returns the name of the directory that was left. REQUIRES: !at_top().
    std::string leave();

  private:
    struct Level {
        std::string name;
        std::optional<std::vector<std::string>> names{};
        std::size_t next = 0;
    };

    Descent descent_;
    std::vector<Level> levels_;
};

}  // namespace stack::sys
