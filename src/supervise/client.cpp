#include <stack/supervise.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "supervise/desired.h"
#include "supervise/protocol.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket_path.h"
#include "sys/terminal.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <fcntl.h>

namespace stack {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

/// The last line of what a supervisor has written to its log, where it begins at `offset`.
std::string last_words(const std::string& log, std::size_t offset) {
    const std::string text = sys::read_file(log).value_or("");
    const auto said = trim(std::string_view(text).substr(std::min(offset, text.size())));
    std::string_view last = said.substr(said.rfind('\n') + 1);
    constexpr std::string_view own_name = "stack: ";
    if (last.starts_with(own_name))
        last.remove_prefix(own_name.size());
    return std::string(last);
}

/// Starts a supervisor and returns when it listens, or has found that another one does.
void start_supervisor(const Paths& paths, const std::string& project) {
    const std::string directory = supervise::project_run_directory(paths, project);
    sys::ensure_directory(directory, 0700);
    STACK_FAILPOINT("supervisor.directory");
    const sys::Fd null = sys::open_file("/dev/null", O_RDONLY);
    const std::string log_file = directory + "/" + supervise::log_name;
    const sys::Fd log = sys::open_file(log_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    const std::size_t said_before = sys::read_file(log_file).value_or("").size();
    sys::Pipe ready = sys::make_pipe();
    constexpr int ready_fd = 3;
    sys::SpawnOptions options;
    options.arguments = {"stack",
                         "--root",
                         paths.state,
                         "supervise",
                         project,
                         "--ready-fd",
                         std::to_string(ready_fd)};
    options.descriptors = {
        {null.get(), 0}, {log.get(), 1}, {log.get(), 2}, {ready.write.get(), ready_fd}};
    options.new_session = true;
    STACK_FAILPOINT("supervisor.spawn");
    const auto supervisor = sys::spawn(sys::own_program(), options);
    ready.write.reset();
    std::string reason = sys::read_all(ready.read);
    if (reason == supervise::ready_word)
        return;
    if (reason.empty())
        reason = last_words(log_file, said_before);
    throw Error(std::make_error_code(std::errc::connection_refused),
                "the supervisor of project " + project +
                    " did not start: " + (reason.empty() ? "it died without a word" : reason) +
                    " (its log is " + log_file + "); what runs goes on running");
}

/// Before it is told that a supervisor does not answer.
constexpr std::chrono::seconds patience{5};

/// Ends a supervisor of another version, which may read a request otherwise than it is meant: an
/// upgrade leaves it running, and what it looks after as well.
void end_other_version(const std::string& directory) {
    const auto text = sys::read_file(directory + "/" + supervise::pid_name);
    const auto words = split_words(text.value_or(""));
    if (words.size() < 2 || (words.size() > 2 && words[2] == STACK_VERSION))
        return;
    const auto pid = parse_number<int>(words[0]);
    const auto started = parse_number<std::uint64_t>(words[1]);
    const sys::Fd process = pid && started ? sys::open_process(*pid, *started) : sys::Fd();
    if (!process)
        return;
    // Not by SIGTERM, at which it takes its pid file along: should ours not start, the shims bring
    // one back.
    sys::send_signal(process, SIGKILL);
    sys::wait_for_end(process, patience);
    if (!sys::has_ended(process))
        throw Error("the supervisor of another version, process " + std::to_string(*pid) +
                    ", does not end though it was killed: it waits for the kernel, perhaps for a "
                    "disk; try again when that answers (what runs goes on running)");
}

/// What there is to know of one that does not. It may be reading what a large build is made from.
Event silence(const Paths& paths, const std::string& project) {
    const auto file = sys::read_file(supervise::project_run_directory(paths, project) + "/" +
                                     supervise::pid_name);
    const std::string pid = split_once(file.value_or("?"), ' ').first;
    return {.id = "Stack " + project,
            .status = EventStatus::warning,
            .text = "Warning",
            .detail = "the supervisor (pid " + pid + ") has not answered for " +
                      std::to_string(patience.count()) +
                      " s: it is busy, or stopped (`kill -CONT " + pid + "`), or stuck (`kill -9 " +
                      pid + "` has another one take its place, and ends no container)"};
}

class Connection {
  public:
    explicit Connection(const std::string& directory) : socket_(loop_) {
        const sys::SocketPath path(directory, supervise::socket_name);
        boost::system::error_code refused;
        if (path.is_there())
            socket_.connect(stream_protocol::endpoint(path.text()), refused);
        connected_ = path.is_there() && !refused;
    }

    [[nodiscard]] bool connected() const { return connected_; }

    /// nullopt where the supervisor went away before it answered anything. One that does not answer
    /// is told of, as `silence` says.
    std::optional<int> ask(const std::string& request,
                           const EventSink& events,
                           const std::stop_token& stop,
                           const std::function<Event()>& silence) {
        const std::stop_callback leave(stop, [this] {
            boost::system::error_code ignored;
            socket_.shutdown(stream_protocol::socket::shutdown_both, ignored);
        });
        boost::system::error_code error;
        asio::write(socket_, asio::buffer(request + "\n"), error);
        if (!error && !answers_within(patience))
            events(silence());
        asio::streambuf buffer(supervise::longest_line);
        bool answered = false;
        while (!error) {
            asio::read_until(socket_, buffer, '\n', error);
            if (error)
                break;
            std::istream stream(&buffer);
            std::string text;
            std::getline(stream, text);
            const auto line = supervise::decode_server_line(text);
            answered = true;
            if (line.exit)
                return line.exit;
            if (line.event)
                events(*line.event);
        }
        if (stop.stop_requested())
            return given_up;
        if (answered)
            throw Error(std::make_error_code(std::errc::connection_reset),
                        "the supervisor died while it worked: it comes back by itself; run the "
                        "command again");
        return std::nullopt;
    }

  private:
    /// Whether there is an answer, or will be none, by then.
    bool answers_within(std::chrono::seconds time) {
        bool is_ready = false;
        socket_.async_wait(stream_protocol::socket::wait_read,
                           [&](boost::system::error_code) { is_ready = true; });
        loop_.restart();
        loop_.run_for(time);
        const bool in_time = is_ready;
        if (!in_time) {
            socket_.cancel();
            loop_.run();
        }
        return in_time;
    }

    asio::io_context loop_;
    stream_protocol::socket socket_;
    bool connected_ = false;
};

}  // namespace

int request(const Paths& paths,
            const std::string& project,
            const Request& what,
            const EventSink& events,
            const std::stop_token& stop) {
    const std::string directory = supervise::project_run_directory(paths, project);
    Request complete = what;
    complete.environment = sys::environment();
    const std::string line = supervise::encode_request(complete);
    end_other_version(directory);
    constexpr int tries = 5;  // one that is about to end may still take a connection
    for (int i = 0; i < tries; ++i) {
        Connection connection(directory);
        if (!connection.connected()) {
            try {
                start_supervisor(paths, project);
            } catch (const Error& error) {
                // One that ends takes its directory away, also from who has just made sure of it.
                if (error.code() != std::errc::no_such_file_or_directory || i + 1 == tries)
                    throw;
            }
            continue;
        }
        if (const auto exit =
                connection.ask(line, events, stop, [&] { return silence(paths, project); }))
            return *exit;
    }
    throw Error(std::make_error_code(std::errc::connection_refused),
                "the supervisor of project " + project + " cannot be reached: see " + directory +
                    "/" + supervise::log_name);
}

}  // namespace stack
