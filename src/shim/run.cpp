// `stack-shim run`: one container, from its description to its exit record.

#include "shim/attach.h"
#include "shim/channel.h"
#include "shim/clone.h"
#include "shim/commands.h"
#include "shim/fault.h"
#include "shim/flow.h"
#include "shim/forward.h"
#include "shim/log.h"
#include "shim/netlink.h"
#include "shim/ports.h"
#include "shim/record.h"
#include "shim/rights.h"
#include "shim/stage.h"
#include "shim/supervisor.h"
#include "shim/trees.h"
#include "shim/users.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {
namespace {

struct Container {
    int pid = 0;
    int pidfd = -1;
    int channel = -1;  // to the set-up stage
    // It ended before it read our go: that is told before its last words (ECONNRESET).
    bool unheard = false;
    int output = -1;  // what it prints; the terminal's master where it has one
    int error = -1;
    int input = -1;  // its standard input while stdin_open, where it has no terminal
};

struct Streams {
    StageStreams inner;
    int output = -1;
    int error = -1;
    int input = -1;
};

Streams make_streams(const Spec& spec) {
    Streams streams;
    if (spec.foreground != 0) {
        streams.inner = {spec.stdin_open != 0 ? STDIN_FILENO : -1, STDOUT_FILENO, STDERR_FILENO};
        return streams;
    }
    if (spec.process.terminal != 0)
        return streams;
    make_pipe(streams.output, streams.inner.output);
    make_pipe(streams.error, streams.inner.error);
    if (spec.stdin_open != 0)
        make_pipe(streams.inner.input, streams.input);
    if (spec.user.sharing == Sharing::own)
        give_streams({streams.inner.input, streams.inner.output, streams.inner.error},
                     spec.root_id);
    return streams;
}

Container clone_container(const Spec& spec, const Streams& streams) {
    if (spec.user.sharing == Sharing::own)
        raise_shared_limits(spec.process.limits);
    const Cloned cloned =
        clone_stage(spec, [&](int channel) { run_stage(spec, streams.inner, channel); });
    if (spec.foreground == 0)
        for (const int fd : {streams.inner.input, streams.inner.output, streams.inner.error})
            ::close(fd);
    Container container;
    container.pid = cloned.pid;
    container.pidfd = cloned.pidfd;
    container.channel = cloned.channel;
    container.output = streams.output;
    container.error = streams.error;
    container.input = streams.input;
    return container;
}

/// Users of its own, and what those have that only the host's root can give.
void give_users(const Spec& spec, const Container& container) {
    map_users(spec, container.pid);
    raise_limits(spec.process.limits, container.pid);
    set_oom_score(spec.process, std::to_string(container.pid));
    send_trees(spec, container.pid, container.channel);
}

void record_life(const Spec& spec, const Container& container) {
    if (spec.foreground != 0)
        return;
    const std::string text = "{\"pid\":" + std::to_string(container.pid) +
                             ",\"pid_started\":" + std::to_string(start_time(container.pid)) +
                             ",\"shim\":" + std::to_string(::getpid()) +
                             ",\"shim_started\":" + std::to_string(start_time(::getpid())) +
                             ",\"boot_id\":\"" + spec.boot_id +
                             "\",\"started\":" + std::to_string(wall_clock()) + "}\n";
    if (!write_record(spec.run_directory, "live.json", text))
        give_up(engine_failed, "write " + spec.run_directory + "/live.json", errno);
    ::close(static_cast<int>(spec.run_lock));
}

/// What the set-up stage says next.
enum class Said { terminal, fault, end };

Said hear(Container& container, std::string& fault) {
    std::string text;
    int terminal = -1;
    long count = 0;
    while ((count = receive_message(container.channel, text, terminal)) < 0 &&
           (errno == EINTR || errno == ECONNRESET))
        container.unheard = container.unheard || errno == ECONNRESET;
    if (count <= 0 && container.unheard) {
        fault = std::to_string(engine_failed) + " its set-up was killed";
        return Said::fault;
    }
    if (count <= 0)
        return Said::end;
    if (text[0] == 'T') {
        container.output = terminal;
        return Said::terminal;
    }
    fault = std::move(text);
    return Said::fault;
}

/// Listens to the stage until it has made the terminal, or has become the program (end). Returns
/// the fault; "" is success.
std::string await(Container& container, Said awaited) {
    std::string fault;
    Said said = Said::terminal;
    do {
        said = hear(container, fault);
    } while (said == Said::terminal && awaited == Said::end);
    return fault;
}

/// Copies what is there from one stream to the log and to those attached, and returns how many
/// bytes that is. At its end `fd` is closed, and -1.
long copy_once(int& fd, bool standard_error, Log& log, Attached& attached) {
    static std::array<char, 65536> buffer;
    const auto count = ::read(fd, buffer.data(), buffer.size());
    if (count > 0) {
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
        log.append(standard_error, bytes);
        attached.give(standard_error ? FrameKind::error : FrameKind::output, bytes);
        return count;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    ::close(fd);  // a terminal says EIO when its other end is closed
    fd = -1;
    return 0;
}

/// Output that waits for room on the disk does so for two seconds beyond the container's end: its
/// exit is not to wait for somebody who makes room.
class Room {
  public:
    explicit Room(Log& log) : log_(log) {}

    void await() {
        constexpr int pause_ms = 50;
        for (; log_.waits() && tries_ > 0; --tries_) {
            ::poll(nullptr, 0, pause_ms);
            log_.retry();
        }
        if (log_.waits())
            log_.drop_from_now();
    }

  private:
    Log& log_;
    int tries_ = 40;
};

/// How many bytes a pipe holds. A terminal was hung up with its session: it comes to its end.
long present_in(int fd) {
    int present = 0;
    return ::isatty(fd) == 0 && ::ioctl(fd, FIONREAD, &present) == 0 ? present : LONG_MAX;
}

/// What is still in the pipes when the container has ended; a grandchild that keeps one open does
/// not hold us, and neither does one that goes on writing.
void drain(Container& container, Log& log, Attached& attached) {
    constexpr int patience_ms = 200;
    Room room(log);
    room.await();
    for (const bool standard_error : {false, true}) {
        int& fd = standard_error ? container.error : container.output;
        pollfd entry{fd, POLLIN, 0};
        const auto copy = [&] {
            for (long left = present_in(fd); left > 0 && fd >= 0 && ::poll(&entry, 1, 0) > 0;) {
                left -= copy_once(fd, standard_error, log, attached);
                room.await();
            }
        };
        copy();
        if (fd >= 0 && ::poll(&entry, 1, patience_ms) > 0)
            copy();
    }
}

/// The shorter of two waits; -1 is one without end.
int shorter(int one, int other) {
    return one < 0 || other < 0 ? std::max(one, other) : std::min(one, other);
}

/// Until the container ends: its output to its log and those attached, their input to it, a look
/// after its supervisor, and what comes to its ports by ways that the kernel does not know.
void keep(
    const Spec& spec, Container& container, Log& log, Attached& attached, Forwarder& forwarder) {
    SupervisorWatch supervisor(spec);
    std::vector<pollfd> entries;
    for (;;) {
        const bool held = attached.holds_output() || log.waits();
        entries.assign({{container.pidfd, POLLIN, 0},
                        {held ? -1 : container.output, POLLIN, 0},
                        {held ? -1 : container.error, POLLIN, 0},
                        {supervisor.fd(), POLLIN, 0},
                        forwarder.watched()});
        attached.watch(entries);
        const int patience_ms = shorter(supervisor.patience_ms(), log.patience_ms());
        if (::poll(entries.data(), entries.size(), patience_ms) < 0) {
            if (errno == EINTR)
                continue;
            give_up(engine_failed, "wait for the container", errno);
        }
        if (entries[1].revents != 0)
            copy_once(container.output, false, log, attached);
        if (entries[2].revents != 0 && !log.waits())
            copy_once(container.error, true, log, attached);
        if (log.patience_ms() >= 0)
            log.retry();
        attached.serve(entries);
        supervisor.look(entries[3].revents != 0);
        if (entries[4].revents != 0)
            forwarder.serve();
        if ((entries[0].revents & POLLIN) != 0)
            return;
    }
}

siginfo_t reap(const Container& container) {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(container.pid), &info, WEXITED) < 0 &&
           errno == EINTR) {
    }
    return info;
}

int shell_status(const siginfo_t& info) {
    constexpr int signal_base = 128;
    return info.si_code == CLD_EXITED ? info.si_status : signal_base + info.si_status;
}

std::string exit_record(const siginfo_t& info, bool oom) {
    const int signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    return "{\"code\":" + std::to_string(shell_status(info)) +
           ",\"signal\":" + std::to_string(signal) + ",\"oom_killed\":" + (oom ? "true" : "false") +
           ",\"finished\":" + std::to_string(wall_clock()) + "}\n";
}

void ignore_signals() {
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXFSZ})
        ::signal(signal, SIG_IGN);
}

/// A process killed by the kernel for want of memory ends by SIGKILL, or its shell with 137.
bool died_of_memory(const Spec& spec, unsigned long long before, const siginfo_t& info) {
    constexpr int killed_status = 137;
    return shell_status(info) == killed_status && oom_kills(spec.oom_file) > before;
}

/// What those attached reach.
AttachTarget target_of(const Spec& spec, const Container& container) {
    AttachTarget target;
    target.process = container.pidfd;
    target.input = container.input;
    if (spec.process.terminal != 0) {
        target.terminal = container.output;
        if (spec.stdin_open != 0)
            target.input = ::fcntl(container.output, F_DUPFD_CLOEXEC, 0);
    }
    return target;
}

/// Lets the stage become the program: after its terminal is there and, where the container is made
/// for a client, that client. Returns the fault; "" is success.
std::string begin(const Spec& spec, Container& container, std::optional<Attached>& attached) {
    if (spec.process.terminal != 0)
        if (auto fault = await(container, Said::terminal); !fault.empty())
            return fault;
    if (attached) {
        attached->reach(target_of(spec, container));
        if (spec.await_client != 0 && !attached->await_owner()) {
            ::shutdown(container.channel, SHUT_WR);  // the stage ends, if it has not
            const std::string fault = await(container, Said::end);
            return fault.empty() ? std::to_string(engine_failed) + " nobody attached to it" : fault;
        }
    }
    ::send(container.channel, "g", 1, MSG_NOSIGNAL);
    return await(container, Said::end);
}

}  // namespace

int run_container(const Spec& spec, int status_fd) {
    tell_faults_to(status_fd);
    std::optional<Attached> attached;
    std::optional<ReservedRecord> ending;
    if (spec.foreground == 0) {
        ::fcntl(static_cast<int>(spec.run_lock), F_SETFD, FD_CLOEXEC);
        ignore_signals();
        outlive_containers();
        attached.emplace(spec.run_directory, spec.await_client != 0);
        ending.emplace(spec.run_directory, "exit.json");
    } else {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // a step ends with its build
    }
    Forwarder forwarder(reserve_ports(spec.ports, spec.run_directory));
    const auto oom_before = oom_kills(spec.oom_file);
    Log log(spec.log_path,
            spec.log_size,
            spec.log_files,
            spec.log_drops != 0 ? WhenFull::drop : WhenFull::wait);
    Container container = clone_container(spec, make_streams(spec));
    heed_faults_of(container.channel);
    if (spec.user.sharing == Sharing::own)
        give_users(spec, container);
    if (spec.network.sharing == Sharing::own)
        make_interfaces(spec.interfaces, container.pid);
    heed_faults_of(-1);
    record_life(spec, container);
    const std::string fault = begin(spec, container, attached);
    ::close(container.channel);
    if (!fault.empty()) {
        reap(container);
        [[maybe_unused]] const auto ignored = ::write(status_fd, fault.data(), fault.size());
        if (attached)
            attached->finish(std::atoi(fault.c_str()));
        return engine_failed;
    }
    [[maybe_unused]] const auto ignored = ::write(status_fd, "started", 7);
    ::close(status_fd);
    if (!attached)
        return shell_status(reap(container));
    keep(spec, container, log, *attached, forwarder);
    forwarder.end();  // the next run of the container is to find its ports free
    const siginfo_t info = reap(container);
    drain(container, log, *attached);
    log.retry();
    log.sync();
    ending->write(exit_record(info, died_of_memory(spec, oom_before, info)));
    attached->finish(shell_status(info));
    return 0;
}

}  // namespace stack::shim
