#include "engine/build/progress.h"

namespace stack::build {
namespace {

constexpr std::size_t kept_lines = 20;
constexpr std::size_t longest_line = 4096;  // bytes; the rest begins another

}  // namespace

void Progress::image(EventStatus status, const std::string& text) const {
    Event event;
    event.id = image_;
    event.status = status;
    event.text = text;
    sink_(event);
}

void Progress::step(EventStatus status, const std::string& text, const std::string& detail) const {
    Event event;
    event.id = step_;
    event.parent = image_;
    event.status = status;
    event.text = text;
    event.detail = detail;
    sink_(event);
}

void Progress::begin_step(const std::string& title) {
    step_ = title;
    line_.clear();
    last_.clear();
    step(EventStatus::working, "Running", "");
}

void Progress::cached() {
    step(EventStatus::done, "CACHED", "");
}

void Progress::done() {
    end_line();
    step(EventStatus::done, "Done", "");
}

void Progress::failed(const std::string& why) {
    end_line();
    step(EventStatus::error, "Error", why);
}

void Progress::output(std::string_view bytes) {
    for (const char c : bytes) {
        if (c == '\n' || line_.size() >= longest_line)
            end_line();
        if (c != '\n')
            line_ += c;
    }
}

void Progress::end_line() {
    if (line_.ends_with('\r'))
        line_.pop_back();
    if (line_.empty())
        return;
    step(EventStatus::working, "Running", line_);
    last_.push_back(std::move(line_));
    line_.clear();
    if (last_.size() > kept_lines)
        last_.pop_front();
}

std::string Progress::last_output() const {
    std::string text;
    for (const auto& line : last_)
        text += line + "\n";
    return text;
}

}  // namespace stack::build
