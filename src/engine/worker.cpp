#include "engine/worker.h"

#include "base/text.h"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace stack::engine {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

constexpr std::size_t longest_line = 1U << 20U;

/// Reads a descriptor to its end; keeps itself alive by its pending operation.
class Reader : public std::enable_shared_from_this<Reader> {
  public:
    using OnBytes = std::function<void(std::string_view)>;
    using OnEnd = std::function<void()>;

    Reader(asio::io_context& loop, sys::Fd input, OnBytes on_bytes, OnEnd on_end)
        : input_(loop, input.release()),
          on_bytes_(std::move(on_bytes)),
          on_end_(std::move(on_end)) {}

    void read() {
        input_.async_read_some(
            asio::buffer(buffer_),
            [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
                if (error) {
                    self->input_.close();
                    self->on_end_();
                    return;
                }
                self->on_bytes_(std::string_view(self->buffer_.data(), count));
                self->read();
            });
    }

  private:
    stream_descriptor input_;
    std::array<char, 65536> buffer_{};
    OnBytes on_bytes_;
    OnEnd on_end_;
};

void start_reader(asio::io_context& loop,
                  sys::Fd input,
                  Reader::OnBytes on_bytes,
                  Reader::OnEnd on_end) {
    std::make_shared<Reader>(loop, std::move(input), std::move(on_bytes), std::move(on_end))
        ->read();
}

/// Calls `on_end` with the status of a process when it has ended.
void await_end(asio::io_context& loop, sys::Child worker, std::function<void(int)> on_end) {
    auto child = std::make_shared<sys::Child>(std::move(worker));
    auto ended = std::make_shared<stream_descriptor>(loop, sys::duplicate(child->pidfd).release());
    ended->async_wait(stream_descriptor::wait_read,
                      [child, ended, on_end = std::move(on_end)](boost::system::error_code) {
                          on_end(sys::wait(*child));
                      });
}

/// Appends to `text` what still fits under `limit`.
void append_bounded(std::string& text, std::string_view bytes, std::size_t limit) {
    text.append(bytes.substr(0, limit - std::min(limit, text.size())));
}

}  // namespace

void read_worker(asio::io_context& loop,
                 sys::Child worker,
                 sys::Fd output,
                 std::function<void(const std::string&)> on_line,
                 std::function<void(int)> on_end) {
    auto rest = std::make_shared<std::string>();
    auto on_bytes = [rest, on_line](std::string_view bytes) {
        for (const char c : bytes) {
            if (c == '\n') {
                on_line(*rest);
                rest->clear();
            } else if (rest->size() < longest_line) {
                *rest += c;
            }
        }
    };
    auto child = std::make_shared<sys::Child>(std::move(worker));
    auto on_close = [&loop, child, rest, on_line, on_end = std::move(on_end)] {
        if (!rest->empty())
            on_line(*rest);
        await_end(loop, std::move(*child), on_end);
    };
    start_reader(loop, std::move(output), std::move(on_bytes), std::move(on_close));
}

void read_to_end(asio::io_context& loop, sys::Fd input, std::function<void(std::string)> on_end) {
    constexpr std::size_t limit = 65536;
    auto text = std::make_shared<std::string>();
    start_reader(
        loop,
        std::move(input),
        [text](std::string_view bytes) { append_bounded(*text, bytes, limit); },
        [text, on_end = std::move(on_end)] { on_end(std::move(*text)); });
}

}  // namespace stack::engine
