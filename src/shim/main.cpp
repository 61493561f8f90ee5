// The one helper program of a container: its shim, the way into it, and its process 1. Small,
// static and without the host's libraries, since parts of it run where these cannot be trusted.
//
//   run     descriptor 3: the description (shim/spec.h); 4: where the outcome of the start is told
//   create  3: the description; 4: where the steps of a bundle's creation are told; 5: goes on
//   join    3: the description; 4: a pidfd of the container's first process
//   view    3: the description; 4: where the outcome is told
//   rewire  3: the description, of which only networks count; 4: where the outcome is told
//   enter   3: a pidfd of the container's first process; 4: where the outcome is told
//   thaw    3: the freezer's file; 4: what is written to it when the other end is closed
//   init PROGRAM ARGUMENT…

#include "shim/commands.h"
#include "shim/fault.h"

#include <array>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace {

constexpr int spec_fd = 3;
constexpr int second_fd = 4;

std::string read_spec() {
    std::string bytes;
    std::array<char, 65536> buffer;  // not touched where nothing is read
    for (ssize_t count = 0; (count = ::read(spec_fd, buffer.data(), buffer.size())) > 0;)
        bytes.append(buffer.data(), static_cast<std::size_t>(count));
    ::close(spec_fd);
    ::fcntl(second_fd, F_SETFD, FD_CLOEXEC);
    return bytes;
}

template <class Spec, class Command>
int with_spec(const Command& command) {
    using namespace stack::shim;
    Spec spec;
    if (!decode(read_spec(), spec)) {
        tell_faults_to(second_fd);
        give_up(
            engine_failed, "the shim and the program that started it are of different versions", 0);
    }
    return command(spec, second_fd);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace stack::shim;
    // Started through a descriptor we would be that descriptor's number to ps(1) and top(1).
    ::prctl(PR_SET_NAME, "stack-shim");
    const std::string_view role = argc > 1 ? argv[1] : "";
    if (role == "run")
        return with_spec<Spec>(run_container);
    if (role == "create")
        return with_spec<Spec>(create_container);
    if (role == "join")
        return with_spec<JoinSpec>(join_container);
    if (role == "view")
        return with_spec<Spec>(view_container);
    if (role == "rewire")
        return with_spec<Spec>(rewire_container);
    if (role == "enter")
        return enter_container(spec_fd, second_fd);
    if (role == "thaw")
        return thaw_container(spec_fd, second_fd);
    if (role == "init" && argc > 2)
        return run_init(argv + 2);
    constexpr char usage[] = "stack-shim is started by stack; it is of no use by itself\n";
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, usage, sizeof usage - 1);
    return 2;
}
