// One run of a health check or a hook. It is over when its command has ended, whoever else may hold
// its output open; where it is over its time, nothing that it started goes on.

#include "engine/native_probe.h"
#include "engine/real_engine.h"
#include "engine/watch.h"
#include "sys/network_namespace.h"

#include <array>
#include <csignal>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>

namespace stack::engine {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

constexpr std::size_t kept_output = 4096;
constexpr std::chrono::seconds default_timeout{30};

Strings command_of(const Healthcheck& check) {
    if (check.test.front() == "CMD-SHELL")
        return {"/bin/sh", "-c", check.test.size() > 1 ? check.test[1] : ""};
    return {check.test.begin() + 1, check.test.end()};
}

runtime::ExecOptions options_of(const Hook& hook) {
    runtime::ExecOptions options;
    options.command = hook.command;
    options.user = hook.user;
    options.working_dir = hook.working_dir;
    options.privileged = hook.privileged;
    for (const auto& [name, value] : hook.environment)
        if (value)
            options.environment[name] = *value;
    return options;
}

class Probing : public std::enable_shared_from_this<Probing> {
  public:
    /// `processes` are those of the container.
    Probing(asio::io_context& loop,
            runtime::Probe probe,
            std::function<std::vector<int>()> processes,
            ProbeDone done)
        : loop_(loop),
          helper_(std::move(probe.helper)),
          output_(loop, probe.output.release()),
          timer_(loop),
          processes_(std::move(processes)),
          done_(std::move(done)) {
        output_.non_blocking(true);
    }

    /// Without a `timeout`: for as long as it takes.
    void begin(std::optional<Duration> timeout) {
        watch_ = std::make_unique<Watch>(
            loop_, sys::duplicate(helper_.pidfd), [self = shared_from_this()] { self->finish(); });
        if (timeout)
            end_after(*timeout);
        read();
    }

  private:
    void end_after(Duration timeout) {
        timer_.expires_after(
            std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout));
        timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
            if (!error)
                self->end_it();
        });
    }

    /// A full pipe must not keep the command from its end.
    void read() {
        output_.async_wait(stream_descriptor::wait_read,
                           [self = shared_from_this()](boost::system::error_code error) {
                               if (!error && self->take())
                                   self->read();
                           });
    }

    /// What is there now; false at the end.
    bool take() {
        std::array<char, 16384> buffer{};
        for (;;) {
            boost::system::error_code error;
            const std::size_t count = output_.read_some(asio::buffer(buffer), error);
            if (error)
                return error == asio::error::would_block;
            text_.append(buffer.data(), std::min(count, kept_output - text_.size()));
        }
    }

    void end_it() {
        timed_out_ = true;
        for (const int pid : processes_())
            if (const auto lineage = sys::lineage_of(pid);
                lineage && lineage->parent == helper_.pid)
                session_ = lineage->session;
        kill_session();
        sys::send_signal(helper_.pidfd, SIGKILL);
    }

    /// The command leads a session of its own: what it starts is in it.
    void kill_session() const {
        for (const int pid : processes_()) {
            const auto started = sys::start_time(pid);
            const sys::Fd process = started ? sys::open_process(pid, *started) : sys::Fd();
            const auto lineage = sys::lineage_of(pid);
            if (process && lineage && lineage->session == session_)
                sys::send_signal(process, SIGKILL);
        }
    }

    void finish() {
        timer_.cancel();
        if (timed_out_)
            kill_session();  // what was started between the first look and the helper's end
        take();
        output_.close();
        const int status = sys::wait(helper_);
        const auto self = shared_from_this();  // the watch that calls this goes
        watch_.reset();
        std::exchange(done_, nullptr)({status, timed_out_, std::move(text_)});
    }

    asio::io_context& loop_;
    sys::Child helper_;
    stream_descriptor output_;
    asio::steady_timer timer_;
    std::unique_ptr<Watch> watch_;
    std::function<std::vector<int>()> processes_;
    ProbeDone done_;
    std::string text_;
    bool timed_out_ = false;
    int session_ = -1;
};

}  // namespace

void RealEngine::probe(const std::string& container_id, const Healthcheck& check, ProbeDone done) {
    const Duration given = check.timeout.value_or(Duration::zero());
    const Duration timeout = given > Duration::zero() ? given : default_timeout;
    if (const auto question = native_probe(check)) {
        const sys::Fd network = runtime_.network_namespace(container_id);
        if (!network)
            throw Error(std::make_error_code(std::errc::no_such_process), "it does not run");
        ask(loop_,
            sys::make_tcp_socket(network, question->address.family),
            *question,
            timeout,
            std::move(done));
        return;
    }
    runtime::ExecOptions options;
    options.command = command_of(check);
    auto processes = [this, container_id] { return runtime_.processes(container_id); };
    std::make_shared<Probing>(
        loop_, runtime_.probe(container_id, options), std::move(processes), std::move(done))
        ->begin(timeout);
}

void RealEngine::run_hook(const std::string& container, const Hook& hook, ProbeDone done) {
    const auto record = runtime_.find(container);
    if (!record)
        throw Error(std::make_error_code(std::errc::no_such_process),
                    "container " + container + " does not exist");
    auto processes = [this, id = record->id] { return runtime_.processes(id); };
    std::make_shared<Probing>(
        loop_, runtime_.probe(record->id, options_of(hook)), std::move(processes), std::move(done))
        ->begin(std::nullopt);
}

}  // namespace stack::engine
