#pragma once

// Choices that a seed decides, the same on every machine: the standard fixes the generator, not the
// distributions, so those are made here.

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace stack::test {

class Chance {
  public:
    explicit Chance(std::uint64_t seed) : generator_(seed) {}

    /// 0 … count - 1.
    [[nodiscard]] std::size_t below(std::size_t count) { return generator_() % count; }

    [[nodiscard]] bool one_in(std::size_t count) { return below(count) == 0; }

    template <class T>
    [[nodiscard]] const T& pick(const std::vector<T>& values) {
        return values[below(values.size())];
    }

    template <class T>
    void shuffle(std::vector<T>& values) {
        for (std::size_t i = values.size(); i > 1; --i)
            std::swap(values[i - 1], values[below(i)]);
    }

  private:
    std::mt19937_64 generator_;
};

}  // namespace stack::test
