#pragma once

// The files of a container, at the descriptor of its root. They are in the mount namespace of a
// helper process, which is there as long as the view.

#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/process.h"
#include "sys/scratch_directory.h"

#include <cstdint>
#include <optional>

namespace stack::runtime {

/// Whose the files are as they are seen there: of users of the container's own, or the host's.
struct Users {
    sys::Fd space;            // their namespace, or none
    std::uint32_t first = 0;  // of the host's ids that they are (user_range.h)
};

class View {
  public:
    /// `status`: what the helper tells; it stays until that is closed.
    View(sys::Child helper, sys::Fd status, Users users);
    /// The same for one that mounts: it needs a place, and that nobody else mounts meanwhile.
    View(sys::Child helper, sys::Fd status, sys::ScratchDirectory place, sys::Lock lock);
    ~View();
    View(View&&) = default;
    View& operator=(View&&) = delete;

    /// What lies below is reached by sys/tree.h alone: processes of the container change it.
    [[nodiscard]] const sys::Fd& root() const { return root_; }

    [[nodiscard]] const Users& users() const { return users_; }

  private:
    void open_root();

    std::optional<sys::Lock> lock_;
    std::optional<sys::ScratchDirectory> place_;
    sys::Child helper_;
    sys::Fd status_;
    sys::Fd root_;
    Users users_;
};

}  // namespace stack::runtime
