#pragma once

// Printing the logs of containers, merged by time, and following them.

#include <stack/observed.h>

#include "cli/context.h"
#include "cli/log_reader.h"
#include "cli/style.h"

#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <string>

namespace stack::cli {

struct LogOptions {
    LogFilter filter;
    bool follow = false;
    bool timestamps = false;
    bool no_prefix = false;
    bool no_colour = false;
    bool splits_streams = false;  // what came on standard error goes there
};

class LogPrinter {
  public:
    LogPrinter(const Context& context, LogOptions options);

    /// Begins with a container; one that is known already is not begun twice.
    void add(const ObservedContainer& container, const std::string& path);
    /// Prints what is there, in order of time across the containers; the last of it is left to
    /// print_new() where it is followed.
    void print_existing();
    /// Prints what has been added since, in that order, too: where there are several containers,
    /// a tenth of a second late. Returns in how many milliseconds it has more to do, at most
    /// `longest`.
    int print_new(int longest);
    /// The same to the end of what is there, and at once.
    void print_rest();

  private:
    using Clock = std::chrono::steady_clock;

    struct Entry {
        LogLine line;
        Clock::time_point read;
    };

    struct Source {
        std::string id;
        std::string name;  // web-1
        Colour colour;
        LogFile file;
        std::deque<Entry> entries;  // read and not printed

        [[nodiscard]] bool is_full() const;
        /// Of the times of its entries.
        [[nodiscard]] std::string latest() const;
    };

    /// Whose line waits for its end on an output.
    struct OpenLine {
        const Source* source = nullptr;
        bool standard_error = false;

        bool operator==(const OpenLine&) const = default;
    };

    /// Until each source has all that there is, or as much as it may hold; says whether one has.
    bool read();
    void print_most();
    /// Those that are no younger than `newest`.
    void print_to(const std::string& newest);
    void print(const Source& source, const LogLine& line);
    [[nodiscard]] std::string prefix(const Source& source) const;

    LogOptions options_;
    bool colour_;
    std::deque<Source> sources_;
    std::array<std::optional<OpenLine>, 2> open_;  // of standard output and error
    std::size_t widest_ = 0;
};

}  // namespace stack::cli
