#pragma once

// What one load may grow to. Aliases, includes, extends, variables and env_files multiply what a
// file says, so a few lines could fill the memory: whatever writes something out pays for it here.

#include "loader/reader.h"

namespace stack::loader {

constexpr std::size_t most_values = 600'000;      // keys and values of all files
constexpr std::size_t most_text = 32U << 20U;     // their bytes, and those of env_files
constexpr std::size_t longest_value = 1U << 20U;  // that variables may make of one value
constexpr std::size_t deepest_nesting = 100;
constexpr std::size_t most_marks = 500'000;  // brackets and the like on one line

struct Extent {
    std::size_t values = 0;
    std::size_t text = 0;
    std::size_t depth = 0;
};

[[nodiscard]] Extent extent_of(const Node& node);

class Budget {
  public:
    explicit Budget(Reporter& reporter) : reporter_(reporter) {}

    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    /// False where that is more than there is left; the first time is reported, at `at`.
    template <class At>  // a Location, or a Place, of which none is made unless it is shown
    [[nodiscard]] bool spend(const Extent& extent, const At& at) {
        return has(extent) || complain(at);
    }

    [[nodiscard]] bool is_spent() const { return spent_; }

  private:
    bool has(const Extent& extent);
    bool complain(const Location& at);

    Reporter& reporter_;
    std::size_t values_ = 0;
    std::size_t text_ = 0;
    bool spent_ = false;
};

}  // namespace stack::loader
