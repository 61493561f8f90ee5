#include "cli/progress.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/style.h"
#include "sys/terminal.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// Where progress goes.
class StatusStream {
  public:
    StatusStream() {
        static const std::set<std::string> yes{"1", "t", "T", "true", "TRUE", "True"};
        const auto variables = sys::environment();
        const auto found = variables.find("COMPOSE_STATUS_STDOUT");
        is_output_ = found != variables.end() && yes.contains(found->second);
    }

    [[nodiscard]] int descriptor() const { return is_output_ ? 1 : 2; }

    void write(std::string_view text) const {
        is_output_ ? sys::write_out(text) : sys::write_err(text);
    }

  private:
    bool is_output_ = false;
};

/// Remembers what failed, to be said once more at the end. What a part of it says, a step or a
/// layer, is in what the whole says.
class Failures {
  public:
    void note(const Event& event) {
        if (event.status == EventStatus::error && event.parent.empty() && !event.detail.empty() &&
            std::find(sentences_.begin(), sentences_.end(), event.detail) == sentences_.end())
            sentences_.push_back(event.detail);
    }

    void tell() const {
        for (const auto& sentence : sentences_)
            sys::write_err("stack: " + sentence + (sentence.ends_with('\n') ? "" : "\n"));
    }

  private:
    Strings sentences_;
};

/// One line an event, as docker compose prints them where there is no terminal.
class PlainProgress final : public Progress {
  public:
    void show(const Event& event) override {
        failures_.note(event);
        if (!event.parent.empty() && event.total > 0)
            return;  // bytes of a layer: too many lines
        std::string line = " " + event.id + "  " + event.text;
        if (event.status != EventStatus::error && !event.detail.empty())
            line += "  " + event.detail;
        if (line == last_)
            return;
        last_ = line;
        stream_.write(line + "\n");
    }

    void finish() override { failures_.tell(); }

  private:
    StatusStream stream_;
    std::string last_;
    Failures failures_;
};

class JsonProgress final : public Progress {
  public:
    void show(const Event& event) override {
        constexpr std::array<const char*, 4> names{"Working", "Done", "Warning", "Error"};
        nlohmann::json line = {{"id", event.id},
                               {"status", names[static_cast<std::size_t>(event.status)]},
                               {"text", event.text}};
        if (!event.detail.empty())
            line["details"] = event.detail;
        if (!event.parent.empty())
            line["parent_id"] = event.parent;
        if (event.total > 0) {
            line["current"] = event.current;
            line["total"] = event.total;
        }
        stream_.write(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    }

    void finish() override {}

  private:
    StatusStream stream_;
};

class QuietProgress final : public Progress {
  public:
    void show(const Event& event) override { failures_.note(event); }

    void finish() override { failures_.tell(); }

  private:
    Failures failures_;
};

/// Rows that update in place.
class TerminalProgress final : public Progress {
  public:
    TerminalProgress(std::string title, bool colour) : title_(std::move(title)), colour_(colour) {}

    void show(const Event& event) override {
        failures_.note(event);
        if (event.parent.empty())
            update(event);
        else
            update_part(event);
        constexpr std::chrono::milliseconds shortest_frame{40};
        if (Clock::now() - drawn_ >= shortest_frame)
            draw();
    }

    void finish() override {
        if (!rows_.empty())
            draw();
        failures_.tell();
    }

  private:
    /// A layer on its way.
    struct Part {
        std::string text;
        std::int64_t current = 0;
        std::int64_t total = 0;
        std::int64_t first = 0;  // what had come when it was first heard of
        Clock::time_point begin = Clock::now();
        bool over = false;
    };

    struct Row {
        Event event;
        std::string last_line;  // of a build
        std::map<std::string, Part> parts;
        Clock::time_point begin;
        Clock::time_point end;
        bool over = false;
    };

    Row& row_of(const std::string& id) {
        for (auto& row : rows_)
            if (row.event.id == id)
                return row;
        rows_.emplace_back();
        rows_.back().event.id = id;
        rows_.back().begin = Clock::now();
        return rows_.back();
    }

    void update(const Event& event) {
        Row& row = row_of(event.id);
        row.event = event;
        row.over = event.status != EventStatus::working;
        row.end = Clock::now();
    }

    void update_part(const Event& event) {
        Row& row = row_of(event.parent);
        if (event.total > 0) {
            Part& part =
                row.parts.try_emplace(event.id, Part{.first = event.current}).first->second;
            part.text = event.text;
            part.current = event.current;
            part.total = event.total;
            part.over = event.status != EventStatus::working;
        } else
            row.last_line = event.detail.empty() ? event.id + " " + event.text : event.detail;
    }

    [[nodiscard]] std::string mark(const Row& row) const {
        if (!row.over)
            return paint(colour_, Colour::yellow, "⠿");
        switch (row.event.status) {
            case EventStatus::error:
                return paint(colour_, Colour::red, "✘");
            case EventStatus::warning:
                return paint(colour_, Colour::yellow, "!");
            case EventStatus::done:
            case EventStatus::working:
                break;
        }
        return paint(colour_, Colour::green, "✔");
    }

    [[nodiscard]] static std::string bytes_of(const Part& part) {
        return format_bytes(part.current) + " / " + format_bytes(part.total);
    }

    /// All layers together.
    [[nodiscard]] static std::string bytes_of(const Row& row) {
        Part sum;
        for (const auto& [id, part] : row.parts) {
            sum.current += part.current;
            sum.total += part.total;
        }
        return sum.total == 0 ? "" : " " + bytes_of(sum);
    }

    /// How fast a layer comes, or goes; "" where that cannot be told yet.
    [[nodiscard]] static std::string rate_of(const Part& part) {
        const std::chrono::duration<double> time = Clock::now() - part.begin;
        constexpr double long_enough = 0.5;
        if (time.count() < long_enough || part.current <= part.first)
            return "";
        return format_bytes(static_cast<std::int64_t>(
                   static_cast<double>(part.current - part.first) / time.count())) +
               "/s";
    }

    /// A line for each layer that is on its way.
    [[nodiscard]] static Strings lines_of_parts(const Row& row, std::size_t columns) {
        Strings lines;
        for (const auto& [id, part] : row.parts) {
            if (part.over)
                continue;
            const std::string rate = rate_of(part);
            const std::string line = "   " + id + "  " + part.text + " " + bytes_of(part) +
                                     (rate.empty() ? "" : "  " + rate);
            lines.push_back(line.substr(0, columns > 2 ? columns - 2 : 10));
        }
        return lines;
    }

    /// With the lines of what it consists of, while that is under way.
    [[nodiscard]] Strings lines_of(const Row& row, std::size_t widest, std::size_t columns) const {
        const std::chrono::duration<double> time = (row.over ? row.end : Clock::now()) - row.begin;
        std::array<char, 32> seconds{};
        std::snprintf(seconds.data(), seconds.size(), "%.1fs", time.count());
        std::string text = row.event.id +
                           std::string(widest - std::min(widest, row.event.id.size()), ' ') + "  " +
                           row.event.text + (row.over ? "" : bytes_of(row));
        const std::string right = seconds.data();
        const std::size_t room = columns > right.size() + 5 ? columns - right.size() - 5 : 10;
        text = text.substr(0, room);
        Strings lines{" " + mark(row) + " " + text + std::string(room - text.size(), ' ') + " " +
                      paint(colour_, Colour::blue, right)};
        if (row.over)
            return lines;
        for (auto& line : lines_of_parts(row, columns))
            lines.push_back(std::move(line));
        if (!row.last_line.empty())
            lines.push_back("   " +
                            printable(row.last_line).substr(0, columns > 5 ? columns - 5 : 10));
        return lines;
    }

    /// What does not fit on the screen cannot be redrawn: the newest rows are shown, each whole.
    [[nodiscard]] std::string body(std::size_t widest,
                                   std::size_t columns,
                                   std::size_t room) const {
        std::string text;
        std::size_t height = 0;
        for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
            Strings lines = lines_of(*row, widest, columns);
            if (height == 0 && lines.size() > room)
                lines.resize(room);
            height += lines.size();
            if (height > room)
                break;
            std::string block;
            for (const auto& line : lines)
                block += line + "\x1b[K\n";
            text.insert(0, block);
        }
        return text;
    }

    void draw() {
        drawn_ = Clock::now();
        const auto columns = static_cast<std::size_t>(sys::terminal_width(stream_.descriptor()));
        const auto rows = static_cast<std::size_t>(sys::terminal_height(stream_.descriptor()));
        std::size_t widest = 0;
        std::size_t over = 0;
        for (const auto& row : rows_) {
            widest = std::max(widest, row.event.id.size());
            over += row.over ? 1 : 0;
        }
        std::string picture = height_ == 0 ? "" : "\x1b[" + std::to_string(height_) + "A\r";
        std::string text = "[+] " + title_ + " " + std::to_string(over) + "/" +
                           std::to_string(rows_.size()) + "\x1b[K\n";
        text += body(widest, columns, rows > 4 ? rows - 3 : 1);
        height_ = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        stream_.write(picture + text + "\x1b[J");
    }

    StatusStream stream_;
    std::string title_;
    bool colour_;
    std::vector<Row> rows_;
    std::size_t height_ = 0;
    Clock::time_point drawn_{};
    Failures failures_;
};

}  // namespace

void tell_status(const std::string& sentence) {
    StatusStream().write(sentence + "\n");
}

std::unique_ptr<Progress> make_progress(const Globals& globals, const std::string& title) {
    std::string mode = globals.progress;
    const int stream = StatusStream().descriptor();
    if (mode == "auto")
        mode = sys::is_terminal(stream) && globals.ansi != "never" ? "tty" : "plain";
    if (mode == "tty")
        return std::make_unique<TerminalProgress>(title, wants_colour(globals, stream));
    if (mode == "json")
        return std::make_unique<JsonProgress>();
    if (mode == "quiet")
        return std::make_unique<QuietProgress>();
    return std::make_unique<PlainProgress>();
}

}  // namespace stack::cli
