#include "cli/follow.h"

#include "cli/describe.h"
#include "sys/terminal.h"

#include <algorithm>

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
    const std::string name = name_in_stack(container);
    widest_ = std::max(widest_, name.size());
    sources_.push_back(
        {container.id, name, colours[sources_.size() % colours.size()], LogFile(path), {}});
}

std::string LogPrinter::prefix(const Source& source) const {
    if (options_.no_prefix)
        return {};
    const std::string padded =
        source.name + std::string(widest_ - source.name.size(), ' ') + "  | ";
    return paint(colour_, source.colour, padded);
}

void LogPrinter::print(const Source& source, const LogLine& line) {
    const bool to_error = options_.splits_streams && line.standard_error;
    auto& open = open_[to_error ? 1 : 0];
    const bool is_bare = options_.no_prefix && !options_.timestamps;
    const OpenLine own{&source, !is_bare && line.standard_error};
    std::string text;
    if (open && *open != own)
        text += "\n";
    if (!open || *open != own) {
        text += prefix(source);
        if (options_.timestamps)
            text += line.time + " ";
    }
    text += line.text;
    if (!line.partial)
        text += "\n";
    open = line.partial ? std::optional(own) : std::nullopt;
    if (to_error)
        sys::write_err(text);
    else
        sys::write_out(text);
}

bool LogPrinter::Source::is_full() const {
    constexpr std::size_t most = 10'000;
    return entries.size() >= most;
}

std::string LogPrinter::Source::latest() const {
    std::string time;
    for (const auto& entry : entries)
        time = std::max(time, entry.line.time);
    return time;
}

bool LogPrinter::read() {
    const auto now = Clock::now();
    bool any_is_full = false;
    for (auto& source : sources_) {
        std::optional<LogLine> line;
        while (!source.is_full() && (line = source.file.next()))
            if (options_.filter.passes(*line))
                source.entries.push_back({std::move(*line), now});
        any_is_full = any_is_full || source.is_full();
    }
    return any_is_full;
}

void LogPrinter::print_to(const std::string& newest) {
    for (;;) {
        Source* first = nullptr;
        for (auto& source : sources_)
            if (!source.entries.empty() && source.entries.front().line.time <= newest &&
                (first == nullptr ||
                 source.entries.front().line.time < first->entries.front().line.time))
                first = &source;
        if (first == nullptr)
            return;
        print(*first, first->entries.front().line);
        first->entries.pop_front();
    }
}

namespace {

constexpr const char* end_of_time = "~";  // sorts behind every time

}  // namespace

void LogPrinter::print_existing() {
    if (options_.filter.tail)
        for (auto& source : sources_)
            for (auto& line : read_lines(source.file, options_.filter))
                source.entries.push_back({std::move(line), Clock::now()});
    else
        print_most();
    if (!options_.follow)
        print_to(end_of_time);
}

void LogPrinter::print_rest() {
    print_most();
    print_to(end_of_time);
}

/// Reads all that there is, and prints what it does not take all of to know the order of.
void LogPrinter::print_most() {
    while (read()) {
        // What a full source has beyond its last entry may be older than what others have. The
        // latest of its times is not that of its last entry where a clock was set back.
        std::string newest = end_of_time;
        for (const auto& source : sources_)
            if (source.is_full())
                newest = std::min(newest, source.latest());
        print_to(newest);
    }
}

int LogPrinter::print_new(int longest) {
    constexpr std::chrono::milliseconds moment{100};
    const auto ripe = Clock::now() - moment;
    const bool any_is_full = read();
    std::string newest = sources_.size() > 1 ? "" : end_of_time;
    for (const auto& source : sources_)
        for (const auto& entry : source.entries)
            if (source.is_full() || entry.read <= ripe)
                newest = std::max(newest, entry.line.time);
    print_to(newest);
    if (any_is_full)
        return 0;
    const bool any_waits = std::any_of(sources_.begin(), sources_.end(), [](const Source& source) {
        return !source.entries.empty();
    });
    return any_waits ? std::min(longest, static_cast<int>(moment.count())) : longest;
}

}  // namespace stack::cli
