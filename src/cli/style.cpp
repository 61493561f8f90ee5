#include "cli/style.h"

#include "sys/terminal.h"

#include <algorithm>
#include <array>

namespace stack::cli {
namespace {

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

}  // namespace

bool wants_colour(const Globals& globals, int fd) {
    if (globals.ansi == "always")
        return true;
    if (globals.ansi == "never" || sys::environment().contains("NO_COLOR"))
        return false;
    return sys::is_terminal(fd);
}

std::string paint(bool colour, Colour which, std::string_view text) {
    constexpr std::array<const char*, 7> codes{"0", "31", "32", "33", "34", "35", "36"};
    if (!colour || which == Colour::none)
        return std::string(text);
    return std::string("\x1b[") + codes[static_cast<std::size_t>(which)] + "m" + std::string(text) +
           "\x1b[0m";
}

std::string printable(std::string_view text) {
    std::string safe;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        safe += byte < 0x20 || byte == 0x7F ? ' ' : c;
    }
    return safe;
}

std::string table(const std::vector<Strings>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width_of(row[i]));
    }
    constexpr std::size_t gap = 3;
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size())
                line += std::string(widths[i] - width_of(row[i]) + gap, ' ');
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

}  // namespace stack::cli
