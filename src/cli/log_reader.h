#pragma once

// What containers have printed: their log files, merged by time (format: engine/runtime/runtime.h).

#include <stack/model.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stack::cli {

struct LogLine {
    std::string time;  // RFC 3339 with nanoseconds, UTC: sorts as text
    bool standard_error = false;
    bool partial = false;  // goes on in the next line of the same container
    std::string text;
};

[[nodiscard]] std::optional<LogLine> parse_log_line(std::string_view line);

/// The log of one container, oldest line first, across its rotated files; then what is appended.
class LogFile {
  public:
    explicit LogFile(std::string path);
    ~LogFile();
    LogFile(LogFile&&) noexcept;
    LogFile& operator=(LogFile&&) noexcept;

    /// The next whole line; nullopt where there is none yet.
    std::optional<LogLine> next();

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    struct Source;
    bool open_next();

    std::string path_;
    std::deque<std::string> older_;  // rotated files still to be read, oldest first
    std::unique_ptr<Source> source_;
};

/// Which lines to show.
struct LogFilter {
    std::string since;                // RFC 3339, inclusive; empty: from the beginning
    std::string until;                // exclusive; empty: to the end
    std::optional<std::size_t> tail;  // of each container
    std::string grep;                 // lines that hold this text; empty: all
};

/// The lines of one container that are there now and pass the filter.
[[nodiscard]] std::vector<LogLine> read_lines(LogFile& file, const LogFilter& filter);

/// `10m`, `2026-01-02T03:04:05Z`, `2026-01-02` or Unix seconds as RFC 3339 in UTC; nullopt where it
/// is none.
[[nodiscard]] std::optional<std::string> parse_time(const std::string& text);

}  // namespace stack::cli
