#pragma once

// What containers have printed: their log files, merged by time (format: engine/runtime/runtime.h).

#include <stack/model.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stack::cli {

/// An entry of a log: a line, or a part of one.
struct LogLine {
    std::string time;  // RFC 3339 with nanoseconds, UTC: sorts as text
    bool standard_error = false;
    bool partial = false;  // goes on in the next entry of the same stream
    std::string text;
};

[[nodiscard]] std::optional<LogLine> parse_log_line(std::string_view line);

/// The log of one container, oldest entry first, across its rotated files, also while they are
/// rotated; then what is appended. Only who falls behind by all of the files misses some.
class LogFile {
  public:
    explicit LogFile(std::string path);
    ~LogFile();
    LogFile(LogFile&&) noexcept;
    LogFile& operator=(LogFile&&) noexcept;

    /// The next whole entry; nullopt where there is none yet.
    std::optional<LogLine> next();

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    struct Source;
    [[nodiscard]] std::string place(int rotations) const;
    [[nodiscard]] bool has_older(int rotations) const;
    [[nodiscard]] int oldest() const;
    [[nodiscard]] std::optional<int> rotations(const Source& source) const;
    bool open_next();

    std::string path_;
    std::unique_ptr<Source> source_;
    std::unique_ptr<Source> before_;  // what was read before: it tells older files from newer ones
    bool was_rotated_ = false;        // it grows no more
};

/// Which lines to show.
struct LogFilter {
    std::string since;                // RFC 3339, inclusive; empty: from the beginning
    std::string until;                // exclusive; empty: to the end
    std::optional<std::size_t> tail;  // of each container: so many, however many entries they are
    std::string grep;                 // lines that hold this text; empty: all

    /// Whether an entry passes, but for the tail.
    [[nodiscard]] bool passes(const LogLine& line) const;
};

/// The entries of one container that are there now and pass the filter.
[[nodiscard]] std::vector<LogLine> read_lines(LogFile& file, const LogFilter& filter);

/// `10m`, `2026-01-02T03:04:05Z`, `2026-01-02` or Unix seconds as RFC 3339 in UTC; nullopt where it
/// is none.
[[nodiscard]] std::optional<std::string> parse_time(const std::string& text);

}  // namespace stack::cli
