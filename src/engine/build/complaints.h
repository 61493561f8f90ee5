#pragma once

// What is wrong with a build, from whichever of its stages. From several threads at once.

#include <stack/diagnostics.h>

#include <map>
#include <mutex>
#include <stop_token>
#include <string>

namespace stack::build {

class Complaints {
  public:
    /// The text that complaints about `file` quote.
    void add_source(const std::string& file, const std::string& text);
    /// The first error stops the build.
    void add(const Diagnostics& diagnostics);
    /// An error in the Dockerfile at `at`.
    void refuse(const Location& at, const std::string& message);
    /// The command of the step at `at` ended with an error: `sentence` says so, `output` is the end
    /// of what it printed. The first such failure is kept, and stops the build.
    void fail(const Location& at, const std::string& sentence, const std::string& output);

    /// Requested where there is no use in going on.
    [[nodiscard]] std::stop_token stop() const { return stop_.get_token(); }

    // After the last stage has ended:
    [[nodiscard]] const Diagnostics& diagnostics() const { return diagnostics_; }

    [[nodiscard]] const std::map<std::string, std::string>& sources() const { return sources_; }

    [[nodiscard]] const std::string& failure() const { return failure_; }

  private:
    std::mutex mutex_;
    std::stop_source stop_;
    Diagnostics diagnostics_;
    std::map<std::string, std::string> sources_;
    std::string failure_;
};

}  // namespace stack::build
