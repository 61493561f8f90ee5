#pragma once

// A look after the project's supervisor: when it dies without saying good-bye, a shim starts
// another. A lock of the supervisor's own lets one win; one file lock here keeps hundreds of shims
// from trying at once. The file that is locked counts their tries: supervisors that die as soon as
// they are born are started ever more rarely.

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
    /// Whether a supervisor is due by what was tried before, which is written down in the file that
    /// `lock` locks; if so, this try is, too.
    [[nodiscard]] bool is_due(int lock) const;
    /// Postcondition: it has been found, or has ended, or has had its time.
    void spawn();

    const Spec& spec_;
    int pidfd_ = -1;
    bool lost_ = false;
    long long born_ = 0;        // when the one that fd() is of was started, in ms since boot
    long long lost_since_ = 0;  // when the last one that was found had ended
    bool was_steady_ = false;   // that one had lived for a while
};

}  // namespace stack::shim
