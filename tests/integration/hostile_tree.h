#pragma once

// What hostile images have where the engine expects something else, and a tree of the host that
// tells whether it was touched.

#include "tests/support/command.h"

#include <array>
#include <filesystem>
#include <string>

namespace stack::test {

/// What can stand at a path instead of what is expected there.
inline constexpr std::array hostile_forms{"link",
                                          "upward link",
                                          "chain of links",
                                          "loop",
                                          "dangling link",
                                          "pipe",
                                          "device",
                                          "wrong kind",
                                          "closed",
                                          "hard link",
                                          "socket"};

/// Makes `path`, which is not there, in the image's `root` such a thing. `target` is what is meant
/// where something of the host is.
void put_hostile(const std::filesystem::path& root,
                 const std::filesystem::path& path,
                 const std::string& form,
                 const std::filesystem::path& target);

/// A tree of the host that no container has anything to do with.
class Canary {
  public:
    explicit Canary(std::filesystem::path place);

    /// A failure of the running test where anything of it was changed or read.
    void expect_unchanged() const;

    [[nodiscard]] const std::filesystem::path& place() const { return place_; }

  private:
    [[nodiscard]] std::string described() const;

    std::filesystem::path place_;
    std::string before_;
};

/// A failure of the running test where it neither worked nor was refused in a few lines.
void expect_sense(const Result& result);

}  // namespace stack::test
