#include "cli/follow.h"

#include "sys/terminal.h"

#include <algorithm>
#include <array>

namespace stack::cli {

LogPrinter::LogPrinter(const Context& context, LogOptions options)
    : options_(std::move(options)),
      colour_(!options_.no_colour && wants_colour(context.globals, 1)) {}

void LogPrinter::add(const ObservedContainer& container, const std::string& path) {
    constexpr std::array<Colour, 5> colours{
        Colour::cyan, Colour::yellow, Colour::green, Colour::magenta, Colour::blue};
    for (const auto& source : sources_)
        if (source.id == container.id)
            return;
    const std::string name = container.service.empty()
                                 ? container.name
                                 : container.service + "-" + std::to_string(container.number);
    widest_ = std::max(widest_, name.size());
    sources_.push_back(
        {container.id, name, colours[sources_.size() % colours.size()], LogFile(path), false});
}

std::string LogPrinter::prefix(const Source& source) const {
    if (options_.no_prefix)
        return {};
    const std::string padded =
        source.name + std::string(widest_ - source.name.size(), ' ') + "  | ";
    return paint(colour_, source.colour, padded);
}

void LogPrinter::print(Source& source, const LogLine& line) {
    std::string text;
    if (!source.in_line) {
        text = prefix(source);
        if (options_.timestamps)
            text += line.time + " ";
    }
    text += line.text;
    source.in_line = line.partial;
    sys::write_out(line.partial ? text : text + "\n");
}

void LogPrinter::print_existing() {
    struct Entry {
        std::size_t source;
        LogLine line;
    };

    std::vector<Entry> entries;
    for (std::size_t i = 0; i < sources_.size(); ++i)
        for (auto& line : read_lines(sources_[i].file, options_.filter))
            entries.push_back({i, std::move(line)});
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.line.time < b.line.time;
    });
    for (const auto& entry : entries)
        print(sources_[entry.source], entry.line);
}

void LogPrinter::print_new() {
    LogFilter filter = options_.filter;
    filter.tail.reset();
    for (auto& source : sources_)
        for (const auto& line : read_lines(source.file, filter))
            print(source, line);
}

}  // namespace stack::cli
