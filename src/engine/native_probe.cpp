#include "engine/native_probe.h"

#include <memory>
#include <string>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace stack::engine {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kept_output = 4096;
constexpr std::size_t most_read = 65536;  // of a body; more is of no use to anybody

tcp::endpoint endpoint_of(const NativeProbe& probe) {
    return {asio::ip::make_address(to_text(probe.address)), probe.port};
}

class Question : public std::enable_shared_from_this<Question> {
  public:
    Question(asio::io_context& loop, sys::Fd socket, NativeProbe probe, ProbeDone done)
        : stream_(loop), probe_(std::move(probe)), done_(std::move(done)) {
        const bool is_v4 = probe_.address.family == Family::v4;
        stream_.socket().assign(is_v4 ? tcp::v4() : tcp::v6(), socket.release());
        answer_.body_limit(most_read);
    }

    void begin(Duration timeout) {
        stream_.expires_after(
            std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout));
        stream_.async_connect(endpoint_of(probe_), [self = shared_from_this()](ErrorCode error) {
            if (error || !self->probe_.http)
                self->finish(error);
            else
                self->send();
        });
    }

  private:
    void send() {
        request_ = {http::verb::get, probe_.http->target, 11};
        request_.set(http::field::host, probe_.http->host);
        request_.set(http::field::user_agent, "stack");
        request_.set(http::field::connection, "close");
        http::async_write(
            stream_, request_, [self = shared_from_this()](ErrorCode error, std::size_t) {
                if (error)
                    self->finish(error);
                else
                    self->read();
            });
    }

    void read() {
        http::async_read(
            stream_, buffer_, answer_, [self = shared_from_this()](ErrorCode error, std::size_t) {
                self->finish(error);
            });
    }

    /// A body that breaks off or does not end says nothing about health.
    void finish(ErrorCode error) {
        ProbeResult result;
        if (probe_.http && answer_.is_header_done())
            result = judge();
        else if (error)
            result = {1, error == beast::error::timeout, subject() + ": " + error.message()};
        else
            result = {0, false, subject() + ": connected"};
        result.output.resize(std::min(result.output.size(), kept_output));
        std::exchange(done_, nullptr)(result);
    }

    [[nodiscard]] ProbeResult judge() const {
        constexpr unsigned first_good = 200;
        constexpr unsigned first_bad = 400;
        const auto& answer = answer_.get();
        const unsigned status = answer.result_int();
        return {status >= first_good && status < first_bad ? 0 : 1,
                false,
                subject() + ": " + std::to_string(status) + " " + std::string(answer.reason()) +
                    "\n" + answer.body()};
    }

    [[nodiscard]] std::string subject() const {
        if (probe_.http)
            return "GET http://" + probe_.http->host + probe_.http->target;
        const auto endpoint = endpoint_of(probe_);
        const std::string address = endpoint.address().to_string();
        return "connect to " + (endpoint.protocol() == tcp::v4() ? address : "[" + address + "]") +
               ":" + std::to_string(endpoint.port());
    }

    beast::tcp_stream stream_;
    NativeProbe probe_;
    ProbeDone done_;
    http::request<http::empty_body> request_;
    http::response_parser<http::string_body> answer_;
    beast::flat_buffer buffer_;
};

}  // namespace

void ask(asio::io_context& loop,
         sys::Fd socket,
         const NativeProbe& probe,
         Duration timeout,
         ProbeDone done) {
    std::make_shared<Question>(loop, std::move(socket), probe, std::move(done))->begin(timeout);
}

}  // namespace stack::engine
