#include "shim/stage.h"

#include "base/pointers.h"
#include "shim/channel.h"
#include "shim/clone.h"
#include "shim/enclosure.h"
#include "shim/fault.h"
#include "shim/mount.h"
#include "shim/netlink.h"
#include "shim/rights.h"
#include "shim/rootfs.h"
#include "shim/user.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::shim {
namespace {

std::string path_variable(const std::vector<std::string>& environment) {
    for (const auto& entry : environment)
        if (entry.rfind("PATH=", 0) == 0)
            return entry.substr(5);
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/// Where execvp(3) would find the program; empty where it would not.
std::string find_program(const std::string& name, const std::vector<std::string>& environment) {
    if (name.find('/') != std::string::npos)
        return name;
    std::string rest = path_variable(environment);
    std::string denied;
    while (!rest.empty()) {
        const auto colon = rest.find(':');
        std::string directory = rest.substr(0, colon);
        rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
        const std::string candidate = (directory.empty() ? "." : directory) + "/" + name;

        struct stat status {};

        if (::stat(candidate.c_str(), &status) < 0 || !S_ISREG(status.st_mode))
            continue;
        if (::access(candidate.c_str(), X_OK) == 0)
            return candidate;
        denied = candidate;
    }
    return denied;
}

bool has_variable(const std::vector<std::string>& environment, const std::string& name) {
    for (const auto& entry : environment)
        if (entry.rfind(name + "=", 0) == 0)
            return true;
    return false;
}

}  // namespace

void hand_over_terminal(int channel, int master) {
    send_descriptor(channel, "T", master);
    ::close(master);
}

void await_go(int channel) {
    char word = 0;
    ssize_t count = 0;
    while ((count = ::recv(channel, &word, 1, 0)) < 0 && errno == EINTR) {
    }
    if (count != 1)
        ::_exit(engine_failed);  // the shim has died: nobody would know of us
}

void name_host(const Spec& spec) {
    if (spec.uts.sharing != Sharing::own)
        return;
    if (!spec.hostname.empty())
        must(::sethostname(spec.hostname.data(), spec.hostname.size()), "set the host name");
    if (!spec.domainname.empty())
        must(::setdomainname(spec.domainname.data(), spec.domainname.size()),
             "set the domain name");
}

int private_proc() {
    const int fs =
        static_cast<int>(must(::syscall(SYS_fsopen, "proc", 1U), "open a private procfs"));
    must(::syscall(SYS_fsconfig, fs, 6U, nullptr, nullptr, 0), "create a private procfs");
    const int mount =
        static_cast<int>(must(::syscall(SYS_fsmount, fs, 1U, 0U), "mount a private procfs"));
    ::close(fs);
    return mount;
}

void set_sysctls(const std::vector<SettingSpec>& sysctls, int proc) {
    for (const auto& setting : sysctls) {
        if (setting.name == "kernel.domainname") {  // by /proc it is the host's root's alone
            must(::setdomainname(setting.value.data(), setting.value.size()),
                 "set sysctl kernel.domainname=" + setting.value);
            continue;
        }
        std::string path = "sys/" + setting.name;
        for (std::size_t i = 4; i < path.size(); ++i)
            if (path[i] == '.')
                path[i] = '/';
        const int fd = ::openat(proc, path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || ::write(fd, setting.value.data(), setting.value.size()) < 0)
            give_up(engine_failed, "set sysctl " + setting.name + "=" + setting.value, errno);
        ::close(fd);
    }
}

void join_cgroups(const std::vector<std::string>& attach_files, const std::string& v2_directory) {
    std::vector<std::string> files = attach_files;
    if (!v2_directory.empty())
        files.push_back(v2_directory + "/cgroup.procs");
    for (const auto& file : files) {
        // "0" is the writer itself: a pid from outside would wait for an RCU grace period on v1.
        const int fd =
            static_cast<int>(must(::open(file.c_str(), O_WRONLY | O_CLOEXEC), "open " + file));
        must(::write(fd, "0", 1), "join " + file);
        ::close(fd);
    }
}

void own_streams(const Identity& identity) {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        struct stat status {};

        if (::fstat(fd, &status) == 0 && !S_ISCHR(status.st_mode) && status.st_uid != identity.uid)
            [[maybe_unused]]
            const auto ignored = ::fchown(fd, identity.uid, status.st_gid);
    }
}

void prepare_terminal(const ProcessSpec& process, int terminal, const Identity& identity) {
    constexpr auto same_group = static_cast<gid_t>(-1);
    [[maybe_unused]] const auto ignored = ::fchown(terminal, identity.uid, same_group);
    winsize size{};
    size.ws_row = static_cast<unsigned short>(process.rows);
    size.ws_col = static_cast<unsigned short>(process.columns);
    if (size.ws_row != 0)
        ::ioctl(terminal, TIOCSWINSZ, &size);
}

void reset_signals() {
    struct KernelAction {
        std::uint64_t handler, flags, restorer, mask;
    };

    // libc would refuse its own two.
    const KernelAction by_default{};
    constexpr long last_signal = 64;
    for (long signal = 1; signal <= last_signal; ++signal)
        ::syscall(SYS_rt_sigaction, signal, &by_default, nullptr, sizeof by_default.mask);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The kernel drops what a first process neither blocks nor handles (pid_namespaces(7)): what comes
/// before our init waits for signals must wait for it.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

void begin_session(int terminal) {
    ::setsid();
    if (terminal >= 0)
        must(::ioctl(terminal, TIOCSCTTY, 0), "take the terminal");
}

void place_streams(StageStreams streams, int terminal) {
    begin_session(terminal);
    place_descriptors(streams, terminal);
}

void place_descriptors(StageStreams streams, int terminal) {
    if (terminal >= 0)
        streams = {terminal, terminal, terminal};
    if (streams.input < 0)
        streams.input =
            static_cast<int>(must(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
    must(::dup2(streams.input, STDIN_FILENO), "place standard input");
    must(::dup2(streams.output, STDOUT_FILENO), "place standard output");
    must(::dup2(streams.error, STDERR_FILENO), "place standard error");
    constexpr unsigned int close_on_exec = 1U << 2U;  // CLOSE_RANGE_CLOEXEC
    must(::syscall(SYS_close_range, 3U, ~0U, close_on_exec), "close descriptors");
}

void enter_working_directory(const std::string& path, Missing missing) {
    const std::string wanted = path.empty() ? "/" : path;
    if (::chdir(wanted.c_str()) < 0) {
        if (errno != ENOENT || missing == Missing::refused)
            give_up(not_executable, "enter the working directory " + wanted, errno);
        const int root =
            static_cast<int>(must(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open the root"));
        make_directories(root, wanted);
        ::close(root);
        if (::chdir(wanted.c_str()) < 0)
            give_up(not_executable, "enter the working directory " + wanted, errno);
    }
    std::array<char, 4096> now{};
    if (::syscall(SYS_getcwd, now.data(), now.size()) < 0 || now[0] != '/')
        give_up(not_executable, "the working directory " + wanted + " is outside the container", 0);
}

void check_program(const ProcessSpec& process) {
    const std::string program = find_program(process.arguments.front(), process.environment);
    if (program.empty() || ::access(program.c_str(), F_OK) < 0)
        give_up(not_found, "run \"" + process.arguments.front() + "\"", ENOENT);
    if (::access(program.c_str(), X_OK) < 0)
        give_up(not_executable, "run \"" + program + "\"", EACCES);
}

void preserve_descriptors(std::uint32_t first, std::uint32_t count) {
    constexpr int first_of_program = 3;
    for (std::uint32_t i = 0; i < count; ++i)
        must(::dup2(static_cast<int>(first + i), first_of_program + static_cast<int>(i)),
             "preserve a descriptor");
}

void execute(const ProcessSpec& process, const Identity& identity) {
    std::vector<std::string> environment = process.environment;
    if (!has_variable(environment, "HOME"))
        environment.push_back("HOME=" + identity.home);
    if (process.arguments.empty())
        give_up(
            not_found, "there is no command: neither the stack file nor the image names one", 0);
    const std::string& name = process.arguments.front();
    const std::string program = find_program(name, environment);
    if (program.empty())
        give_up(not_found, "executable \"" + name + "\" is not in the container's PATH", 0);
    ::execve(program.c_str(), pointers(process.arguments).data(), pointers(environment).data());
    if (errno == ENOENT) {
        struct stat status {};

        if (::stat(program.c_str(), &status) == 0)
            give_up(not_found,
                    "run \"" + program + "\": its interpreter or loader is missing in the image",
                    0);
        give_up(not_found, "run \"" + program + "\"", ENOENT);
    }
    if (errno == ENOEXEC)
        give_up(not_executable,
                "run \"" + program +
                    "\": exec format error (made for another machine, or a script without #!)",
                0);
    give_up(not_executable, "run \"" + program + "\"", errno);
}

void run_stage(const Spec& spec, StageStreams streams, int channel) {
    tell_faults_to(channel);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // until we are recorded
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    reset_signals();
    ::umask(0);  // nodes and directories get the modes that are written here
    set_oom_score(spec.process);
    // v2: clone3(CLONE_INTO_CGROUP) has done it.
    join_cgroups(spec.attach_files, "");
    join_namespace(spec.network, CLONE_NEWNET, "network namespace");
    join_namespace(spec.ipc, CLONE_NEWIPC, "IPC namespace");
    join_namespace(spec.uts, CLONE_NEWUTS, "host name");
    if (spec.cgroup.sharing == Sharing::own)
        must(::unshare(CLONE_NEWCGROUP), "make a cgroup namespace");
    name_host(spec);
    separate_mounts();
    const Trees trees =
        spec.user.sharing == Sharing::own ? receive_trees(spec, channel) : make_trees(spec);
    const bool is_set_by_proc = !spec.interfaces.empty() || !spec.sysctls.empty();
    const int proc = is_set_by_proc ? private_proc() : -1;
    const Terminal terminal = enter_root(spec, trees);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // another identity has cleared it
    if (terminal.master >= 0)
        hand_over_terminal(channel, terminal.master);
    await_go(channel);
    if (spec.network.sharing == Sharing::own)
        configure_interfaces(spec.interfaces, proc);
    set_sysctls(spec.sysctls, proc);
    ::close(proc);
    place_streams(streams, terminal.slave);
    // Docker: one that was never to run.
    const Identity identity = look_up(spec.process.user, spec.process.groups, engine_failed);
    enter_working_directory(spec.process.working_dir, Missing::made);
    if (streams.output >= 0 && terminal.slave < 0 && identity.uid != 0)
        for (const int fd : {STDOUT_FILENO, STDERR_FILENO})
            [[maybe_unused]] const auto ignored =
                ::fchown(fd, identity.uid, identity.gid);  // /dev/stdout can be opened again
    drop_rights(spec.process, identity);
    // Setting the ids has cleared it where they changed. A container must outlive its shim; a build
    // step must not.
    ::prctl(PR_SET_PDEATHSIG, spec.foreground != 0 ? SIGKILL : 0, 0, 0, 0);
    if (spec.init != 0)
        block_signals();
    execute(spec.process, identity);
}

}  // namespace stack::shim
