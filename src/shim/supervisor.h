#pragma once

// A look after the project's supervisor: when it dies without saying good-bye, a shim starts
// another. A lock of the supervisor's own lets one win; one file lock here keeps hundreds of shims
// from trying at once.

#include "shim/spec.h"

namespace stack::shim {

class SupervisorWatch {
  public:
    explicit SupervisorWatch(const Spec& spec);
    ~SupervisorWatch();
    SupervisorWatch(const SupervisorWatch&) = delete;
    SupervisorWatch& operator=(const SupervisorWatch&) = delete;

    /// A pidfd of the supervisor: readable when it has ended; -1 while there is none.
    [[nodiscard]] int fd() const { return pidfd_; }

    /// How long to wait before the next look; -1: until fd() is readable.
    [[nodiscard]] int patience_ms() const;
    /// Called after each wait.
    void look(bool ended);

  private:
    void find();
    void forget();
    void start_another();

    const Spec& spec_;
    int pidfd_ = -1;
    bool lost_ = false;
};

}  // namespace stack::shim
