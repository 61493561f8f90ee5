#include "sys/process.h"

#include <stack/error.h>

#include "base/pointers.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/limits.h"

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::sys {
namespace {

/// posix_spawn's attributes and file actions, freed at the end.
class SpawnPlan {
  public:
    SpawnPlan() {
        posix_spawnattr_init(&attributes_);
        posix_spawn_file_actions_init(&actions_);
    }

    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    ~SpawnPlan() {
        posix_spawnattr_destroy(&attributes_);
        posix_spawn_file_actions_destroy(&actions_);
    }

    void set(bool new_session) {
        sigset_t all;
        sigfillset(&all);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
        if (new_session)
            flags |= POSIX_SPAWN_SETSID;
        posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    }

    /// Descriptors arrive under the asked numbers; dup2 onto itself clears close-on-exec
    /// (POSIX.1-2024).
    void place(int ours, int theirs) { posix_spawn_file_actions_adddup2(&actions_, ours, theirs); }

    int spawn(int* pid, const char* path, char* const* arguments, char* const* environment) {
        return posix_spawn(pid, path, &actions_, &attributes_, arguments, environment);
    }

  private:
    posix_spawnattr_t attributes_{};
    posix_spawn_file_actions_t actions_{};
};

/// Asio makes sockets without close-on-exec; a child that had one would keep a dead
/// parent's connection open. No descriptor of ours is meant for a child but by SpawnOptions.
void keep_descriptors_to_ourselves() {
    constexpr unsigned int first = 3;
    check(::close_range(first, ~0U, CLOSE_RANGE_CLOEXEC), "set close-on-exec");
}

int exit_status(const siginfo_t& info) {
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

int pidfd_open(int pid) {
    return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
}

/// Above every number that the child is to see.
int first_free(const SpawnOptions& options) {
    int highest = 2;
    for (const auto& [ours, theirs] : options.descriptors)
        highest = std::max(highest, theirs);
    return highest + 1;
}

Fd copy_above(int descriptor, int lowest) {
    return Fd(check(::fcntl(descriptor, F_DUPFD_CLOEXEC, lowest), "duplicate a descriptor"));
}

/// Before raise_descriptor_limit().
std::optional<rlimit> original_limit;

void set_descriptor_limit(const rlimit& limit) {
    check(::setrlimit(RLIMIT_NOFILE, &limit), "set the limit of descriptors");
}

/// The limit of descriptors is the original one meanwhile: posix_spawn can set none. What is open
/// above it stays open; only another thread that needs one more at this very moment may be refused.
class OriginalLimit {
  public:
    OriginalLimit() {
        if (!original_limit)
            return;
        check(::getrlimit(RLIMIT_NOFILE, &raised_), "read the limit of descriptors");
        set_descriptor_limit(*original_limit);
    }

    OriginalLimit(const OriginalLimit&) = delete;
    OriginalLimit& operator=(const OriginalLimit&) = delete;

    ~OriginalLimit() {
        if (original_limit)
            ::setrlimit(RLIMIT_NOFILE, &raised_);  // up to the hard limit: always allowed
    }

  private:
    rlimit raised_{};
};

}  // namespace

std::vector<std::string> environment_strings(const std::map<std::string, std::string>& variables) {
    std::vector<std::string> strings;
    for (const auto& [name, value] : variables)
        strings.push_back(name + "=" + value);
    return strings;
}

Child spawn(const std::string& path, const SpawnOptions& options) {
    keep_descriptors_to_ourselves();
    SpawnPlan plan;
    plan.set(options.new_session);
    // Private copies above every number that the child is to see, so that placing one never
    // clobbers another.
    const int free = first_free(options);
    std::vector<Fd> copies;
    for (const auto& [ours, theirs] : options.descriptors) {
        copies.push_back(copy_above(ours, free));
        plan.place(copies.back().get(), theirs);
    }
    const auto arguments = pointers(options.arguments);
    const auto environment =
        options.environment ? pointers(*options.environment) : std::vector<char*>{};
    Child child;
    const int error = [&] {
        const OriginalLimit theirs;
        return plan.spawn(&child.pid,
                          path.c_str(),
                          arguments.data(),
                          options.environment ? environment.data() : ::environ);
    }();
    if (error != 0)
        fail("run " + path + (error == EAGAIN ? no_more_processes : ""), error);
    child.pidfd = Fd(check(pidfd_open(child.pid), "open process " + std::to_string(child.pid)));
    return child;
}

Child spawn(const Fd& program, const SpawnOptions& options) {
    const Fd copy = copy_above(program.get(), first_free(options));
    return spawn("/proc/self/fd/" + std::to_string(copy.get()), options);
}

void raise_descriptor_limit() {
    rlimit limit{};
    check(::getrlimit(RLIMIT_NOFILE, &limit), "read the limit of descriptors");
    original_limit = limit;
    limit.rlim_cur = limit.rlim_max;
    set_descriptor_limit(limit);
}

void end_with_parent() {
    check(::prctl(PR_SET_PDEATHSIG, SIGTERM), "end with the parent");
}

void own_working_directory() {
    check(::unshare(CLONE_FS), "separate the working directory of a thread");
}

int wait(const Child& child) {
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED) < 0) {
        if (errno != EINTR)
            fail("wait for process " + std::to_string(child.pid));
    }
    return exit_status(info);
}

std::optional<int> try_wait(const Child& child) {
    siginfo_t info{};
    check(::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED | WNOHANG),
          "wait for process " + std::to_string(child.pid));
    if (info.si_pid == 0)
        return std::nullopt;
    return exit_status(info);
}

std::pair<int, std::string> run_and_capture(const std::string& path,
                                            const std::vector<std::string>& arguments) {
    Pipe pipe = make_pipe();
    SpawnOptions options;
    options.arguments = arguments;
    options.descriptors = {{pipe.write.get(), 1}};
    const Child child = spawn(path, options);
    pipe.write.reset();
    std::string output = read_all(pipe.read);
    return {wait(child), std::move(output)};
}

namespace {

/// Field `number` (proc(5)'s counting, from 3 on) of the text of /proc/PID/stat.
template <class Number>
std::optional<Number> stat_field(const std::optional<std::string>& text, std::size_t number) {
    const auto end_of_name =  // the name may hold blanks and parentheses
        text ? text->rfind(')') : std::string::npos;
    if (end_of_name == std::string::npos)
        return std::nullopt;
    const auto fields = split(std::string_view(*text).substr(end_of_name + 1), ' ');
    const std::size_t index = number - 2;
    return index < fields.size() ? parse_number<Number>(fields[index]) : std::nullopt;
}

std::optional<std::string> stat_of(int pid) {
    return read_file("/proc/" + std::to_string(pid) + "/stat");
}

}  // namespace

std::optional<std::uint64_t> start_time(int pid) {
    constexpr std::size_t field = 22;
    return stat_field<std::uint64_t>(stat_of(pid), field);
}

std::optional<Lineage> lineage_of(int pid) {
    constexpr std::size_t parent_field = 4;
    constexpr std::size_t session_field = 6;
    const auto text = stat_of(pid);
    const auto parent = stat_field<int>(text, parent_field);
    const auto session = stat_field<int>(text, session_field);
    return parent && session ? std::optional(Lineage{*parent, *session}) : std::nullopt;
}

std::string identity_of_self() {
    const int pid = ::getpid();
    return std::to_string(pid) + " " + std::to_string(start_time(pid).value_or(0));
}

Fd open_process(int pid, std::uint64_t started) {
    Fd pidfd(pid > 0 ? pidfd_open(pid) : -1);
    if (!pidfd || start_time(pid) != started)
        return {};
    return pidfd;
}

void send_signal(const Fd& pidfd, int signal) {
    if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0U) < 0 && errno != ESRCH)
        fail("send signal " + std::to_string(signal));
}

bool has_ended(const Fd& pidfd) {
    pollfd entry{pidfd.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

void wait_for_end(const Fd& pidfd, std::chrono::milliseconds longest) {
    pollfd entry{pidfd.get(), POLLIN, 0};
    ::poll(&entry, 1, static_cast<int>(longest.count()));
}

std::size_t wait_for_first(const std::vector<Fd>& pidfds) {
    std::vector<pollfd> entries;
    for (const auto& pidfd : pidfds)
        entries.push_back({pidfd.get(), POLLIN, 0});
    while (::poll(entries.data(), entries.size(), -1) < 0)
        if (errno != EINTR)
            fail("wait for processes");
    const auto first = std::find_if(
        entries.begin(), entries.end(), [](const pollfd& entry) { return entry.revents != 0; });
    return static_cast<std::size_t>(first - entries.begin());
}

void reap(int pid) {
    siginfo_t info{};
    if (pid > 0)
        ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG);
}

bool may_administer() {
    const auto status = read_file("/proc/self/status").value_or("");
    const auto line = status.find("CapEff:");
    if (line == std::string::npos)
        return false;
    const auto mask = std::strtoull(status.c_str() + line + 7, nullptr, 16);
    constexpr unsigned int net_admin = 12;  // linux/capability.h
    constexpr unsigned int sys_admin = 21;
    return (mask >> net_admin & 1U) != 0 && (mask >> sys_admin & 1U) != 0;
}

void set_own_oom_score(int score) {
    static_cast<void>(try_write_existing("/proc/self/oom_score_adj", std::to_string(score)));
}

std::optional<std::string> find_program(const std::string& name) {
    const auto is_program = [](const std::string& path) {
        return ::access(path.c_str(), X_OK) == 0 && !is_directory(path);
    };
    if (name.find('/') != std::string::npos)
        return is_program(name) ? std::optional(name) : std::nullopt;
    const char* path = std::getenv("PATH");
    for (const auto& directory : split(path ? path : "/usr/sbin:/usr/bin:/sbin:/bin", ':'))
        if (const std::string found = directory + "/" + name; is_program(found))
            return found;
    return std::nullopt;
}

std::string own_program() {
    std::array<char, PATH_MAX> buffer{};
    const auto length =
        check(::readlink("/proc/self/exe", buffer.data(), buffer.size() - 1), "find this program");
    std::string path(buffer.data(), static_cast<std::size_t>(length));
    // proc(5): so marked after an upgrade put another file in this one's place.
    constexpr std::string_view replaced = " (deleted)";
    if (path.ends_with(replaced) && exists(path.substr(0, path.size() - replaced.size())))
        path.resize(path.size() - replaced.size());
    return path;
}

std::string helper_program(const std::string& name) {
    const std::string beside = parent_path(own_program());
    std::vector<std::string> places{beside, beside + "/../libexec/stack"};
    if (const char* configured = std::getenv("STACK_LIBEXEC"))
        places.insert(places.begin(), configured);
    for (const auto& place : places) {
        const std::string path = place + "/" + name;
        if (exists(path))
            return path;
    }
    throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                "the helper " + name + " is missing: it belongs beside " + own_program() +
                    " or in ../libexec/stack; set STACK_LIBEXEC if it is elsewhere");
}

}  // namespace stack::sys
