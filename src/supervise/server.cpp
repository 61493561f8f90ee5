#include "supervise/server.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "model/json.h"
#include "supervise/desired.h"
#include "supervise/protocol.h"
#include "supervise/supervisor.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/poll.h"
#include "sys/populate.h"
#include "sys/process.h"
#include "sys/socket_path.h"
#include "sys/tree.h"

#include <csignal>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

namespace stack {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using supervise::Supervisor;

class LoopTimers final : public supervise::Timers {
  public:
    explicit LoopTimers(asio::io_context& loop) : loop_(loop), timer_(loop) {}

    [[nodiscard]] Time now() const override { return std::chrono::system_clock::now(); }

    [[nodiscard]] supervise::Moment moment() const override {
        return std::chrono::steady_clock::now();
    }

    void set(supervise::Moment when, std::function<void()> call) override {
        timer_.expires_at(when);
        timer_.async_wait([call = std::move(call)](boost::system::error_code error) {
            if (!error)
                call();
        });
    }

    void post(std::function<void()> call) override { asio::post(loop_, std::move(call)); }

  private:
    asio::io_context& loop_;
    asio::steady_timer timer_;
};

/// What a session needs to know of the server.
struct Host {
    std::function<bool()> takes_requests;
    std::function<void()> before_answer;
    std::function<void()> session_ends;
};

/// One client: a request in, lines out.
class Session : public std::enable_shared_from_this<Session> {
  public:
    Session(stream_protocol::socket socket, Supervisor& supervisor, const Host& host)
        : socket_(std::move(socket)), supervisor_(supervisor), host_(host) {}

    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    ~Session() { host_.session_ends(); }

    void start() {
        asio::async_read_until(
            socket_,
            input_,
            '\n',
            [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                if (!error)
                    self->take_request();
            });
    }

  private:
    void take_request() {
        if (!host_.takes_requests())
            return;  // unanswered: the client asks the next supervisor
        if (client_has_gone())
            return;  // it would come as a surprise by now
        std::istream stream(&input_);
        std::string line;
        std::getline(stream, line);
        try {
            const auto ticket = supervisor_.ask(
                supervise::decode_request(line),
                [self = shared_from_this()](const Event& event) {
                    self->send(model::encode_event(event));
                },
                [self = shared_from_this()](int exit) {
                    self->host_.before_answer();
                    self->send(supervise::encode_result(exit));
                });
            await_departure(ticket);
        } catch (const Error& error) {
            send(model::encode_event({.id = "Stack",
                                      .status = EventStatus::error,
                                      .text = "Error",
                                      .detail = error.what()}));
            send(supervise::encode_result(1));
        }
    }

    bool client_has_gone() {
        char next = 0;
        boost::system::error_code error;
        socket_.non_blocking(true);
        socket_.receive(asio::buffer(&next, 1), stream_protocol::socket::message_peek, error);
        return error && error != asio::error::would_block;
    }

    /// A client says nothing more: what can be read is that it has gone. One whose work is done is
    /// not waited for.
    void await_departure(supervise::Supervisor::Ticket ticket) {
        socket_.async_wait(stream_protocol::socket::wait_read,
                           [weak = weak_from_this(), ticket](boost::system::error_code error) {
                               if (const auto self = weak.lock(); self && !error)
                                   self->supervisor_.withdraw(ticket);
                           });
    }

    void send(const std::string& line) {
        if (!socket_.is_open())
            return;
        constexpr std::size_t most_waiting =
            16 << 20;  // a client that does not read loses progress, not its result
        if (waiting_.size() < most_waiting || line.starts_with("{\"result\""))
            waiting_ += line + "\n";
        if (sent_.empty())
            write();
    }

    /// All that waits at once: each write wakes the client.
    void write() {
        sent_.swap(waiting_);
        asio::async_write(
            socket_,
            asio::buffer(sent_),
            [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                self->sent_.clear();
                if (error)
                    self->socket_.close(error);  // it has gone
                else if (!self->waiting_.empty())
                    self->write();
            });
    }

    stream_protocol::socket socket_;
    Supervisor& supervisor_;
    const Host& host_;
    asio::streambuf input_{supervise::longest_line};
    std::string sent_;     // what is being written
    std::string waiting_;  // what has come meanwhile
};

void tell_ready(sys::Fd& whom) {
    if (whom)
        sys::write_all(whom, supervise::ready_word);
    whom.reset();
}

class Server {
  public:
    Server(const Paths& paths, std::string project, const MakeEngine& make_engine)
        : paths_(paths),
          project_(std::move(project)),
          directory_(supervise::project_run_directory(paths, project_)),
          path_(directory_, supervise::socket_name),
          timers_(loop_),
          engine_(make_engine(loop_)),
          supervisor_(*engine_, timers_, paths, project_),
          acceptor_(loop_),
          signals_(loop_, SIGTERM, SIGINT) {}

    int run(sys::Fd& ready) {
        listen();
        supervisor_.adopt();
        supervisor_.on_idle([this] { end_when_over(); });
        supervisor_.while_in_charge([this] { return is_in_charge(); });
        signals_.async_wait([this](boost::system::error_code error, int) {
            if (!error) {
                left_alone_ = true;
                loop_.stop();
            }
        });
        // Whoever started us is about to ask for something; a shim that did so asks for nothing.
        patience_.expires_after(std::chrono::seconds(ready ? 10 : 0));
        patience_.async_wait([this](boost::system::error_code) {
            expected_ = false;
            end_when_over();
        });
        tell_ready(ready);
        loop_.run();
        STACK_FAILPOINT("supervisor.exit");
        vanish();
        return 0;
    }

  private:
    void listen() {
        sys::remove_file(path_.file());
        STACK_FAILPOINT("supervisor.listen");
        acceptor_.open();
        acceptor_.bind(stream_protocol::endpoint(path_.text()));
        acceptor_.listen();
        sys::replace_volatile_file(directory_ + "/" + supervise::pid_name, identity_line());
        accept();
    }

    void accept() {
        acceptor_.async_accept(
            [this](boost::system::error_code error, stream_protocol::socket socket) {
                if (error) {
                    accept_later(error);
                    return;
                }
                ++sessions_;
                expected_ = false;
                std::make_shared<Session>(std::move(socket), supervisor_, host_)->start();
                accept();
            });
    }

    /// Descriptors or memory may be short; that passes, and so must our deafness.
    void accept_later(const boost::system::error_code& error) {
        if (error == asio::error::operation_aborted)
            return;
        log::warn("accept a client: " + error.message() + ", ignoring for a second");
        deafness_.expires_after(std::chrono::seconds(1));
        deafness_.async_wait([this](boost::system::error_code cancelled) {
            if (!cancelled && !vanished_)
                accept();
        });
    }

    void end_when_over() {
        constexpr std::uint64_t longest_log = 512U << 10U;  // and one that was before
        if (!vanished_)
            sys::bound_own_output(directory_ + "/" + supervise::log_name, longest_log);
        if (supervisor_.is_over() && sessions_ == 0 && !expected_)
            loop_.stop();
        if (!is_in_charge()) {
            log::warn(directory_ + " is not ours any more: leaving the project to the next one");
            forsaken_ = true;
            loop_.stop();
        }
    }

    /// Not where somebody has emptied /run: no client finds us there, and the next one of them
    /// starts another supervisor.
    [[nodiscard]] bool is_in_charge() const {
        return vanished_ ||
               sys::read_file(directory_ + "/" + supervise::pid_name) == identity_line();
    }

    static std::string identity_line() { return sys::identity_of_self() + " " STACK_VERSION "\n"; }

    /// Who is told that nothing is left must find nothing of us either.
    void before_answer() {
        if (supervisor_.is_over())
            vanish();
    }

    void session_ends() {
        --sessions_;
        asio::post(loop_, [this] {
            end_when_over();
            if (sessions_ != 0)
                return;
            supervisor_.compact();  // a plan of many services takes twice what stays of it
            sys::release_memory();
        });
    }

    /// Nobody is to think that we died, or to ask us for more. Where nothing is left of the
    /// project, nothing is left of us.
    void vanish() {
        if (std::exchange(vanished_, true))
            return;
        acceptor_.close();
        // The next supervisor waits for our end: nobody who does not read what we say may hold it
        // up.
        constexpr std::chrono::seconds last_words{5};
        patience_.expires_after(last_words);
        patience_.async_wait([this](boost::system::error_code error) {
            if (!error)
                loop_.stop();
        });
        if (forsaken_)
            return;  // what is there now is another's
        sys::remove_file(directory_ + "/" + supervise::pid_name);
        sys::remove_file(path_.file());
        if (!left_alone_)
            remove_directory();
    }

    /// Who starts the next supervisor may already have begun to write there.
    void remove_directory() const {
        try {
            sys::remove_tree(directory_);
        } catch (const Error& error) {
            log::info("what is in " + directory_ + " is for the next supervisor: " + error.what());
        }
    }

    const Host host_{[this] { return !vanished_; },  // outlives the sessions, which are the loop's
                     [this] { before_answer(); },
                     [this] { session_ends(); }};
    Paths paths_;
    std::string project_;
    std::string directory_;
    sys::SocketPath path_;
    asio::io_context loop_;
    LoopTimers timers_;
    std::unique_ptr<Engine> engine_;
    Supervisor supervisor_;
    stream_protocol::acceptor acceptor_;
    asio::signal_set signals_;
    asio::steady_timer patience_{loop_};
    asio::steady_timer deafness_{loop_};
    bool expected_ = true;
    int sessions_ = 0;
    bool left_alone_ = false;
    bool forsaken_ = false;
    bool vanished_ = false;
};

bool somebody_listens(const std::string& directory) {
    const sys::SocketPath path(directory, supervise::socket_name);
    asio::io_context loop;
    stream_protocol::socket socket(loop);
    boost::system::error_code refused;
    if (path.is_there())
        socket.connect(stream_protocol::endpoint(path.text()), refused);
    return path.is_there() && !refused;
}

}  // namespace

namespace {

int supervise_alone(const Paths& paths,
                    const std::string& project,
                    const MakeEngine& make_engine,
                    sys::Fd& ready) {
    sys::raise_descriptor_limit();
    const std::string locks = paths.run + "/locks";
    sys::ensure_directory(locks, 0700);
    const std::string directory = supervise::project_run_directory(paths, project);
    for (;;) {
        if (const auto lock = sys::Lock::try_acquire(locks + "/" + project)) {
            sys::ensure_directory(directory, 0700);
            return Server(paths, project, make_engine).run(ready);
        }
        if (somebody_listens(directory)) {
            tell_ready(ready);
            return 0;
        }
        constexpr std::chrono::milliseconds between{20};  // it is about to listen, or to end
        sys::pause(between);
    }
}

}  // namespace

int run_supervisor(const Paths& paths,
                   const std::string& project,
                   const MakeEngine& make_engine,
                   int ready_fd) {
    sys::Fd ready(ready_fd);
    try {
        return supervise_alone(paths, project, make_engine, ready);
    } catch (const std::exception& error) {
        if (ready)  // what it could say to its log it may have no room for
            sys::write_all(ready, error.what());
        throw;
    }
}

}  // namespace stack
