#include "cli/progress.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/style.h"
#include "sys/terminal.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int standard_error = 2;

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
        sys::write_err(line + "\n");
    }

    void finish() override { failures_.tell(); }

  private:
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
        sys::write_err(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    }

    void finish() override {}
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
    struct Part {
        std::int64_t current = 0;
        std::int64_t total = 0;
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
        if (event.total > 0)
            row.parts[event.id] = {event.current, event.total};
        else
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

    [[nodiscard]] static std::string bytes_of(const Row& row) {
        Part sum;
        for (const auto& [id, part] : row.parts) {
            sum.current += part.current;
            sum.total += part.total;
        }
        return sum.total == 0 ? ""
                              : " " + format_bytes(sum.current) + " / " + format_bytes(sum.total);
    }

    [[nodiscard]] std::string line_of(const Row& row,
                                      std::size_t widest,
                                      std::size_t columns) const {
        const std::chrono::duration<double> time = (row.over ? row.end : Clock::now()) - row.begin;
        std::array<char, 32> seconds{};
        std::snprintf(seconds.data(), seconds.size(), "%.1fs", time.count());
        std::string text = row.event.id +
                           std::string(widest - std::min(widest, row.event.id.size()), ' ') + "  " +
                           row.event.text + (row.over ? "" : bytes_of(row));
        const std::string right = seconds.data();
        const std::size_t room = columns > right.size() + 5 ? columns - right.size() - 5 : 10;
        text = text.substr(0, room);
        std::string line = " " + mark(row) + " " + text + std::string(room - text.size(), ' ') +
                           " " + paint(colour_, Colour::blue, right);
        if (!row.over && !row.last_line.empty())
            line +=
                "\x1b[K\n   " + printable(row.last_line).substr(0, columns > 5 ? columns - 5 : 10);
        return line + "\x1b[K\n";
    }

    void draw() {
        drawn_ = Clock::now();
        const auto columns = static_cast<std::size_t>(sys::terminal_width(standard_error));
        const auto rows = static_cast<std::size_t>(sys::terminal_height(standard_error));
        std::size_t widest = 0;
        std::size_t over = 0;
        for (const auto& row : rows_) {
            widest = std::max(widest, row.event.id.size());
            over += row.over ? 1 : 0;
        }
        std::string picture = height_ == 0 ? "" : "\x1b[" + std::to_string(height_) + "A\r";
        std::string body = "[+] " + title_ + " " + std::to_string(over) + "/" +
                           std::to_string(rows_.size()) + "\x1b[K\n";
        // What does not fit on the screen cannot be redrawn: the newest rows are shown.
        const std::size_t shown = std::min(rows_.size(), rows > 4 ? (rows - 3) / 2 : 1);
        for (std::size_t i = rows_.size() - shown; i < rows_.size(); ++i)
            body += line_of(rows_[i], widest, columns);
        height_ = static_cast<std::size_t>(std::count(body.begin(), body.end(), '\n'));
        sys::write_err(picture + body + "\x1b[J");
    }

    std::string title_;
    bool colour_;
    std::vector<Row> rows_;
    std::size_t height_ = 0;
    Clock::time_point drawn_{};
    Failures failures_;
};

}  // namespace

std::unique_ptr<Progress> make_progress(const Globals& globals, const std::string& title) {
    std::string mode = globals.progress;
    if (mode == "auto")
        mode = sys::is_terminal(standard_error) && globals.ansi != "never" ? "tty" : "plain";
    if (mode == "tty")
        return std::make_unique<TerminalProgress>(title, wants_colour(globals, standard_error));
    if (mode == "json")
        return std::make_unique<JsonProgress>();
    if (mode == "quiet")
        return std::make_unique<QuietProgress>();
    return std::make_unique<PlainProgress>();
}

}  // namespace stack::cli
