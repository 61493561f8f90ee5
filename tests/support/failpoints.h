#pragma once

// The driver of the failpoints (base/failpoint.h): which ones a run of the program passes, and the
// environment that makes it die, fail or wait at one of them.

#include <map>
#include <string>

namespace stack::test {

class Failpoints {
  public:
    /// Counts in a new, empty log of this name below the sandbox's directory.
    explicit Failpoints(const std::string& name);

    /// Nothing armed: every failpoint is only counted.
    [[nodiscard]] std::map<std::string, std::string> counting() const;

    /// The process that makes the `hit`-th pass of a failpoint, counted over all processes with
    /// this log, dies there of SIGKILL.
    [[nodiscard]] std::map<std::string, std::string> killing(const std::string& failpoint,
                                                             int hit) const;

    /// The same with an error instead of a death: the pass fails with EIO.
    [[nodiscard]] std::map<std::string, std::string> failing(const std::string& failpoint,
                                                             int hit) const;

    /// The same with a wait of half a second.
    [[nodiscard]] std::map<std::string, std::string> delaying(const std::string& failpoint,
                                                              int hit) const;

    /// How often each failpoint was passed.
    [[nodiscard]] std::map<std::string, int> hits() const;

  private:
    [[nodiscard]] std::map<std::string, std::string> armed(const std::string& failpoint,
                                                           int hit,
                                                           const std::string& mode) const;

    std::string log_;
};

}  // namespace stack::test
