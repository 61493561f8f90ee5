#pragma once

// The files of a container, at the descriptor of its root. They are in the mount namespace of a
// helper process, which is there as long as the view.

#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/process.h"
#include "sys/scratch_directory.h"

#include <optional>

namespace stack::runtime {

class View {
  public:
    /// `status`: what the helper tells; it stays until that is closed.
    View(sys::Child helper, sys::Fd status);
    /// The same for one that mounts: it needs a place, and that nobody else mounts meanwhile.
    View(sys::Child helper, sys::Fd status, sys::ScratchDirectory place, sys::Lock lock);
    ~View();
    View(View&&) = default;
    View& operator=(View&&) = delete;

    /// What lies below is reached by sys/tree.h alone: processes of the container change it.
    [[nodiscard]] const sys::Fd& root() const { return root_; }

  private:
    void open_root();

    std::optional<sys::Lock> lock_;
    std::optional<sys::ScratchDirectory> place_;
    sys::Child helper_;
    sys::Fd status_;
    sys::Fd root_;
};

}  // namespace stack::runtime
