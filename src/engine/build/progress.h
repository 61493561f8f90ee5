#pragma once

// A build's events, in the vocabulary of docker compose: the image, and under it a row for each
// step.

#include <stack/events.h>

#include <deque>
#include <string>
#include <string_view>

namespace stack::build {

class Progress {
  public:
    Progress(const EventSink& sink, const std::string& tag) : sink_(sink), image_("Image " + tag) {}

    void image(EventStatus status, const std::string& text) const;
    /// `title` as `[web 2/5] RUN make`; rows that follow are this step's.
    void begin_step(const std::string& title);
    void cached();
    void done();
    void failed(const std::string& why);
    /// What the step prints; whole lines become events.
    void output(std::string_view bytes);
    /// The last lines that the step printed.
    [[nodiscard]] std::string last_output() const;

  private:
    void step(EventStatus status, const std::string& text, const std::string& detail) const;
    void end_line();

    const EventSink& sink_;
    std::string image_;
    std::string step_;
    std::string line_;
    std::deque<std::string> last_;
};

}  // namespace stack::build
