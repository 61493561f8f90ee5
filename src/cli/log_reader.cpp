#include "cli/log_reader.h"

#include "base/text.h"
#include "base/units.h"
#include "sys/file.h"
#include "sys/log_source.h"

#include <array>
#include <chrono>
#include <ctime>
#include <deque>
#include <limits>

namespace stack::cli {

std::optional<LogLine> parse_log_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    const auto third = second == std::string_view::npos ? second : line.find(' ', second + 1);
    if (third == std::string_view::npos)
        return std::nullopt;
    LogLine parsed;
    parsed.time = line.substr(0, first);
    parsed.standard_error = line.substr(first + 1, second - first - 1) == "stderr";
    parsed.partial = line.substr(second + 1, third - second - 1) == "P";
    parsed.text = line.substr(third + 1);
    return parsed;
}

struct LogFile::Source : sys::LogSource {
    using sys::LogSource::LogSource;
};

LogFile::LogFile(std::string path) : path_(std::move(path)) {}

LogFile::~LogFile() = default;
LogFile::LogFile(LogFile&&) noexcept = default;
LogFile& LogFile::operator=(LogFile&&) noexcept = default;

/// Where a file lies after so many rotations.
std::string LogFile::place(int rotations) const {
    return rotations == 0 ? path_ : path_ + "." + std::to_string(rotations);
}

/// Whether there are older ones than that after so many rotations. In the middle of a rotation one
/// name is nobody's.
bool LogFile::has_older(int rotations) const {
    return sys::exists(place(rotations + 1)) || sys::exists(place(rotations + 2));
}

int LogFile::oldest() const {
    int rotations = 0;
    while (has_older(rotations))
        ++rotations;
    return rotations;
}

/// How often a file has been rotated; nullopt where it is gone.
std::optional<int> LogFile::rotations(const Source& source) const {
    for (int i = 0;; ++i) {
        if (source.is_at(place(i)))
            return i;
        if (!has_older(i))
            return std::nullopt;
    }
}

/// The one that was begun after the file that has been read, or, where somebody has removed that,
/// after the one before; else the oldest.
bool LogFile::open_next() {
    for (;;) {
        const Source* last = source_.get();
        std::optional<int> read = last != nullptr ? rotations(*last) : std::nullopt;
        if (!read && before_) {
            last = before_.get();
            read = rotations(*last);
        }
        if (read == 0)
            return false;  // it has only been rotated: the next one is not there yet
        const std::string path = place(read ? *read - 1 : oldest());
        if (!sys::exists(path))
            return false;
        auto next = std::make_unique<Source>(path);
        // A rotation in between would have us skip one.
        if (read && !last->is_at(place(*read)))
            continue;
        before_ = std::move(source_);
        source_ = std::move(next);
        was_rotated_ = false;
        return true;
    }
}

std::optional<LogLine> LogFile::next() {
    for (;;) {
        if (!source_ && !open_next())
            return std::nullopt;
        if (const auto line = source_->next()) {
            if (auto parsed = parse_log_line(*line))
                return parsed;
            continue;  // a damaged line says nothing
        }
        if (was_rotated_) {
            if (!open_next())
                return std::nullopt;
        } else {
            was_rotated_ = !source_->is_at(path_);
            if (!was_rotated_)
                return std::nullopt;
            // What was appended before the rotation is still to be read.
        }
    }
}

bool LogFilter::passes(const LogLine& line) const {
    return line.time >= since && (until.empty() || line.time < until) &&
           (grep.empty() || line.text.find(grep) != std::string::npos);
}

namespace {

/// The last lines of a log, each with its entries.
class Tail {
  public:
    explicit Tail(std::size_t most) : most_(most) {}

    void add(LogLine line) {
        auto& current = open_[line.standard_error ? 1 : 0];
        const std::size_t number = current.value_or(lines_);
        if (!current)
            ++lines_;
        current = line.partial ? std::optional(number) : std::nullopt;
        entries_.push_back({number, std::move(line)});
        while (!entries_.empty() && is_past(entries_.front()))
            entries_.pop_front();
    }

    /// The streams' entries are mixed: what continues a line that is past may come after others.
    std::vector<LogLine> take() {
        std::vector<LogLine> lines;
        for (auto& entry : entries_)
            if (!is_past(entry))
                lines.push_back(std::move(entry.line));
        return lines;
    }

  private:
    struct Entry {
        std::size_t number;  // of the line
        LogLine line;
    };

    [[nodiscard]] bool is_past(const Entry& entry) const { return entry.number + most_ < lines_; }

    std::size_t most_;
    std::size_t lines_ = 0;
    std::deque<Entry> entries_;
    std::array<std::optional<std::size_t>, 2> open_;  // lines of each stream that go on
};

}  // namespace

std::vector<LogLine> read_lines(LogFile& file, const LogFilter& filter) {
    Tail tail(filter.tail.value_or(std::numeric_limits<std::size_t>::max() / 2));
    while (auto line = file.next())
        if (filter.passes(*line))
            tail.add(std::move(*line));
    return tail.take();
}

namespace {

/// A time of RFC 3339 with its offset from UTC taken off. Without a zone behind it, it is a prefix
/// of the times of the log, with which it compares as it should.
std::string in_utc(const std::string& text) {
    constexpr std::size_t seconds_end = std::string_view("2026-01-02T03:04:05").size();
    if (text.ends_with('Z') || text.size() <= seconds_end)
        return text.substr(0, text.find('Z'));
    const auto sign = text.find_first_of("+-", seconds_end);
    std::tm parts{};
    if (sign == std::string::npos ||
        ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr)
        return text;
    const auto [hours, minutes] = split_once(std::string_view(text).substr(sign + 1), ':');
    const std::time_t offset =
        parse_number<int>(hours).value_or(0) * 3600 + parse_number<int>(minutes).value_or(0) * 60;
    const std::time_t moment = ::timegm(&parts) + (text[sign] == '+' ? -offset : offset);
    std::array<char, 32> buffer{};
    ::gmtime_r(&moment, &parts);
    std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    return buffer.data() + text.substr(seconds_end, sign - seconds_end);  // with the fraction
}

}  // namespace

std::optional<std::string> parse_time(const std::string& text) {
    const auto rfc3339 = [](std::chrono::system_clock::time_point time) {
        const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
        std::tm parts{};
        gmtime_r(&seconds, &parts);
        std::array<char, 32> buffer{};
        std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S", &parts);
        return std::string(buffer.data());
    };
    if (const auto seconds = parse_number<std::int64_t>(text))
        return rfc3339(std::chrono::system_clock::time_point(std::chrono::seconds(*seconds)));
    if (const auto age = parse_duration(text)) {
        const auto then = std::chrono::system_clock::now() -
                          std::chrono::duration_cast<std::chrono::system_clock::duration>(*age);
        const std::chrono::nanoseconds part = then.time_since_epoch() % std::chrono::seconds(1);
        const std::string digits = std::to_string(part.count());
        constexpr std::size_t nine = 9;
        return rfc3339(then) + "." + std::string(nine - std::min(nine, digits.size()), '0') +
               digits;
    }
    constexpr std::size_t date_length = 10;
    if (text.size() >= date_length && text[4] == '-' && text[7] == '-')
        return in_utc(text);
    return std::nullopt;
}

}  // namespace stack::cli
