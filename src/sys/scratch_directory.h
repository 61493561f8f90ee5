#pragma once

#include "sys/fd.h"

#include <functional>
#include <string>

namespace stack::sys {

/// A directory for work in progress. Its maker holds it locked and takes it away at the end; what
/// makers that were killed have left beside it goes when the next one is made.
class ScratchDirectory {
  public:
    using Bury = std::function<void(const std::string& name)>;

    /// A new, empty directory of a random name in `parent`, which is made where it is not there.
    /// `bury` gets the name of each one without a maker, and in the end of this one, to end what
    /// else went by that name; where it throws, the directory stays for the next maker.
    explicit ScratchDirectory(const std::string& parent, Bury bury = {});
    ~ScratchDirectory();
    ScratchDirectory(ScratchDirectory&& other) noexcept;
    ScratchDirectory& operator=(ScratchDirectory&&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] std::string name() const;

    /// Gives the directory a place of its own, where it stays. False where something is there
    /// already.
    [[nodiscard]] bool move_to(const std::string& place);

    /// Takes away what killed makers have left in `parent`.
    static void sweep(const std::string& parent, const Bury& bury = {});

  private:
    Bury bury_;
    std::string path_;  // empty: it has been given away
    Fd lock_;
};

}  // namespace stack::sys
