// stack-dns DIRECTORY: the name service of a project. Goes into the background when it listens, and
// ends when the directory is removed. Only one serves a directory; a second one ends at once, well.

#include <stack/error.h>

#include "base/name_service.h"
#include "dns/service.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/process.h"

#include <csignal>
#include <cstdio>
#include <string>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace stack;

/// A descriptor for each question under way and each connection.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Keeps the right to bind port 53 and nothing else: containers send us what they like. With so few
/// rights it would be anybody's who is root in a container that sees the host's processes: only
/// whoever may trace them all gets at one that is not dumpable (ptrace(2)).
void drop_capabilities() {
    sys::check(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "close this process to others");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    data[0].effective = data[0].permitted = 1U << CAP_NET_BIND_SERVICE;
    sys::check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges");
    sys::check(::syscall(SYS_capset, &header, data), "drop capabilities");
}

void write_pid_file(const std::string& directory) {
    const int pid = ::getpid();
    sys::replace_volatile_file(directory + "/pid",
                               std::to_string(pid) + " " +
                                   std::to_string(sys::start_time(pid).value_or(0)) + " " +
                                   std::to_string(name_service_port) + "\n");
}

/// Returns in the child. The parent ends when the child says that it is on record.
sys::Fd go_into_background() {
    sys::Pipe pipe = sys::make_pipe();
    const int child = sys::check(::fork(), "fork");
    if (child == 0)
        return std::move(pipe.write);
    pipe.write.reset();
    ::_exit(sys::read_all(pipe.read).empty() ? 1 : 0);
}

int serve(const std::string& directory) {
    const auto lock = sys::Lock::try_acquire(directory + "/" + stack::dns::lock_name);
    if (!lock)
        return 0;
    raise_descriptor_limit();
    dns::Service service(directory);
    sys::Fd ready = go_into_background();
    write_pid_file(directory);
    drop_capabilities();
    sys::write_all(ready, "1");
    ready.reset();
    service.run();
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(
            stderr,
            "usage: stack-dns DIRECTORY\nThe name service of a project; `stack up` starts it.\n");
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return serve(arguments[1]);
    } catch (const Error& error) {
        std::fprintf(stderr, "stack-dns: %s\n", error.what());
        return 1;
    }
}
