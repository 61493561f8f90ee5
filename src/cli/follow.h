#pragma once

// Printing the logs of containers, merged by time, and following them.

#include <stack/observed.h>

#include "cli/context.h"
#include "cli/log_reader.h"
#include "cli/style.h"

#include <functional>
#include <vector>

namespace stack::cli {

struct LogOptions {
    LogFilter filter;
    bool follow = false;
    bool timestamps = false;
    bool no_prefix = false;
    bool no_colour = false;
};

class LogPrinter {
  public:
    LogPrinter(const Context& context, LogOptions options);

    /// Begins with a container; one that is known already is not begun twice.
    void add(const ObservedContainer& container, const std::string& path);
    /// Prints what is there, in order of time across the containers.
    void print_existing();
    /// Prints what has been added since.
    void print_new();

  private:
    struct Source {
        std::string id;
        std::string name;  // web-1
        Colour colour;
        LogFile file;
        bool in_line = false;  // a partial line waits for its end
    };

    void print(Source& source, const LogLine& line);
    [[nodiscard]] std::string prefix(const Source& source) const;

    LogOptions options_;
    bool colour_;
    std::vector<Source> sources_;
    std::size_t widest_ = 0;
};

}  // namespace stack::cli
