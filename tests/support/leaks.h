#pragma once

// Whether programs under test look for leaks at their end, which is half of a short command's time.

#include <cstdlib>
#include <map>
#include <string>

namespace stack::test {

/// While it lives, those that are started do not, for the same commands in each row of a table:
/// what they leak, the first row shows. All other checks stay.
class LeaksOverlooked {
  public:
    LeaksOverlooked() { set(before_ + ":detect_leaks=0"); }

    ~LeaksOverlooked() { set(before_); }

    LeaksOverlooked(const LeaksOverlooked&) = delete;
    LeaksOverlooked& operator=(const LeaksOverlooked&) = delete;

    /// For a program that looks all the same.
    [[nodiscard]] std::map<std::string, std::string> not_of() const { return {{name, before_}}; }

  private:
    static constexpr const char* name = "ASAN_OPTIONS";

    static std::string options() {
        const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
        return text == nullptr ? "" : text;
    }

    static void set(const std::string& options) {
        ::setenv(name, options.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    }

    const std::string before_ = options();
};

}  // namespace stack::test
