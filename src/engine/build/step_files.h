#pragma once

// Files of a step that must not outlive it, in memory: under the run directory.

#include <stack/paths.h>

#include "engine/build/ownership.h"
#include "sys/scratch_directory.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace stack::build {

class StepFiles {
  public:
    explicit StepFiles(const Paths& paths);

    [[nodiscard]] const std::string& path() const { return directory_.path(); }

    /// Returns where it is.
    [[nodiscard]] std::string write(const std::string& name,
                                    std::string_view content,
                                    std::uint32_t mode,
                                    Owner owner) const;

  private:
    sys::ScratchDirectory directory_;
};

}  // namespace stack::build
