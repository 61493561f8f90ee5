#include "cli/process_list.h"

#include "base/text.h"
#include "cli/style.h"
#include "sys/file.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace stack::cli {
namespace {

constexpr std::int64_t ticks = 100;  // a second, wherever proc(5) counts in USER_HZ

// Places in /proc/PID/stat, counted from behind the name.
constexpr std::size_t parent_field = 1;
constexpr std::size_t terminal_field = 4;
constexpr std::size_t user_time_field = 11;
constexpr std::size_t system_time_field = 12;
constexpr std::size_t start_field = 19;

std::int64_t number_in(const Strings& fields, std::size_t place) {
    return parse_number<std::int64_t>(fields[place]).value_or(0);
}

/// `14:05` of today, `Nov27` of this year, else the year.
std::string start_text(std::int64_t start, std::int64_t now) {
    const std::time_t then = start;
    const std::time_t today = now;
    std::tm own{};
    std::tm current{};
    ::localtime_r(&then, &own);
    ::localtime_r(&today, &current);
    const bool is_this_year = own.tm_year == current.tm_year;
    std::array<char, 16> buffer{};
    std::strftime(buffer.data(),
                  buffer.size(),
                  !is_this_year                    ? "%Y"
                  : own.tm_yday == current.tm_yday ? "%H:%M"
                                                   : "%b%d",
                  &own);
    return buffer.data();
}

/// By the numbers of tty_nr: pseudo terminals, the consoles, or none that anybody knows.
std::string terminal_text(std::int64_t number) {
    constexpr std::int64_t consoles = 4;
    constexpr std::int64_t first_pseudo = 136;
    constexpr std::int64_t last_pseudo = 143;
    const std::int64_t major = (number >> 8) & 0xfff;
    const std::int64_t minor = (number & 0xff) | ((number >> 12) & 0xfff00);
    if (major >= first_pseudo && major <= last_pseudo)
        return "pts/" + std::to_string((major - first_pseudo) * 256 + minor);
    return major == consoles ? "tty" + std::to_string(minor) : "?";
}

std::string clock_text(std::int64_t seconds) {
    std::string text;
    for (const std::int64_t part : {seconds / 3600, seconds / 60 % 60, seconds % 60})
        text +=
            (text.empty() ? "" : ":") + std::string(part < 10 ? "0" : "") + std::to_string(part);
    return text;
}

/// Its effective user's, of /proc/PID/status.
std::uint32_t user_number(const std::string& status) {
    for (const auto& line : split(status, '\n'))
        if (line.starts_with("Uid:"))
            if (const auto words = split_words(line); words.size() > 2)
                return parse_number<std::uint32_t>(words[2]).value_or(0);
    return 0;
}

MachineTime machine_time() {
    const auto up = split_words(sys::read_file("/proc/uptime").value_or(""));
    return {std::time(nullptr), up.empty() ? 0 : std::strtod(up.front().c_str(), nullptr)};
}

}  // namespace

std::optional<Strings> process_row(const ProcessFiles& files,
                                   const std::string& user,
                                   const MachineTime& time) {
    const auto name = files.stat.find('(');
    const auto behind = files.stat.rfind(')');
    if (name == std::string::npos || behind == std::string::npos)
        return std::nullopt;
    const auto fields = split_words(std::string_view(files.stat).substr(behind + 1));
    if (fields.size() <= start_field)
        return std::nullopt;
    const std::int64_t used =
        number_in(fields, user_time_field) + number_in(fields, system_time_field);
    const std::int64_t lived = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(time.up * ticks) - number_in(fields, start_field));
    std::string command = replace_all(files.cmdline, std::string(1, '\0'), " ");
    if (command.empty())
        command = "[" + files.stat.substr(name + 1, behind - name - 1) + "]";
    return Strings{user,
                   files.stat.substr(0, files.stat.find(' ')),
                   fields[parent_field],
                   std::to_string(std::min<std::int64_t>(99, used * 100 / lived)),
                   start_text(time.now - lived / ticks, time.now),
                   terminal_text(number_in(fields, terminal_field)),
                   clock_text(used / ticks),
                   printable(trim(command))};
}

std::string user_name(const std::string& passwd, std::uint32_t number) {
    for (const auto& line : split(passwd, '\n'))
        if (const auto fields = split(line, ':');
            fields.size() > 2 && parse_number<std::uint32_t>(fields[2]) == number)
            return fields[0];
    return std::to_string(number);
}

Strings process_head() {
    return {"UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"};
}

std::vector<Strings> process_rows(const std::vector<int>& pids) {
    const MachineTime time = machine_time();
    const std::string passwd = sys::read_file("/etc/passwd").value_or("");
    std::vector<Strings> rows;
    for (const int pid : pids) {
        const std::string directory = "/proc/" + std::to_string(pid);
        const auto read = [&](const char* file) {
            return sys::read_file(directory + file).value_or("");
        };
        const std::string user = user_name(passwd, user_number(read("/status")));
        if (auto row = process_row({read("/stat"), read("/cmdline")}, user, time))
            rows.push_back(std::move(*row));
    }
    return rows;
}

}  // namespace stack::cli
