#include "cli/log_reader.h"

#include "base/text.h"
#include "base/units.h"
#include "sys/file.h"
#include "sys/log_source.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

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

LogFile::LogFile(std::string path) : path_(std::move(path)) {
    constexpr int most_rotated = 100;
    for (int i = most_rotated; i >= 1; --i) {
        const std::string rotated = path_ + "." + std::to_string(i);
        if (sys::exists(rotated))
            older_.push_back(rotated);
    }
}

LogFile::~LogFile() = default;
LogFile::LogFile(LogFile&&) noexcept = default;
LogFile& LogFile::operator=(LogFile&&) noexcept = default;

bool LogFile::open_next() {
    std::string path = path_;
    if (!older_.empty()) {
        path = older_.front();
        older_.pop_front();
    }
    if (!sys::exists(path))
        return false;
    source_ = std::make_unique<Source>(path);
    return true;
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
        const bool finished = !older_.empty() || source_->replaced_at(path_);
        if (!finished)
            return std::nullopt;
        source_.reset();
    }
}

std::vector<LogLine> read_lines(LogFile& file, const LogFilter& filter) {
    std::deque<LogLine> lines;
    while (auto line = file.next()) {
        if (line->time < filter.since || (!filter.until.empty() && line->time >= filter.until) ||
            (!filter.grep.empty() && line->text.find(filter.grep) == std::string::npos))
            continue;
        lines.push_back(std::move(*line));
        if (filter.tail && lines.size() > *filter.tail)
            lines.pop_front();
    }
    return {lines.begin(), lines.end()};
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
    if (const auto age = parse_duration(text))
        return rfc3339(std::chrono::system_clock::now() -
                       std::chrono::duration_cast<std::chrono::system_clock::duration>(*age));
    constexpr std::size_t date_length = 10;
    if (text.size() >= date_length && text[4] == '-' && text[7] == '-')
        return in_utc(text);
    return std::nullopt;
}

}  // namespace stack::cli
