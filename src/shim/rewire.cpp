// `stack-shim rewire`: other networks for a container that runs.

#include "shim/commands.h"
#include "shim/fault.h"
#include "shim/netlink.h"
#include "shim/stage.h"

#include <cstdio>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

namespace stack::shim {
namespace {

int open_namespace(const std::string& path) {
    return static_cast<int>(
        must(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open network namespace " + path));
}

void enter(int network_namespace) {
    must(::setns(network_namespace, CLONE_NEWNET), "enter a network namespace");
}

/// In the namespace that we are in.
std::string free_name() {
    int number = 0;
    while (::if_nametoindex(("eth" + std::to_string(number)).c_str()) != 0)
        ++number;
    return "eth" + std::to_string(number);
}

int process_of(const std::string& path) {
    int pid = 0;
    if (std::sscanf(path.c_str(), "/proc/%d/", &pid) != 1)
        give_up(engine_failed, path + " is no namespace of a process", 0);
    return pid;
}

}  // namespace

int rewire_container(const Spec& spec, int status_fd) {
    tell_faults_to(status_fd);
    const int outside = open_namespace("/proc/self/ns/net");
    const int inside = open_namespace(spec.network.path);
    enter(inside);
    remove_interfaces(spec.gone_interfaces);
    const int proc = private_proc();
    for (auto interface : spec.interfaces) {
        enter(interface.kind.empty() ? outside : inside);
        if (::if_nametoindex(interface.host_name.c_str()) != 0)
            continue;  // it is in that network already
        enter(inside);
        if (interface.name.empty())
            interface.name = free_name();
        enter(outside);
        make_interfaces({interface}, process_of(spec.network.path));
        enter(inside);
        configure_interfaces({interface}, proc);
    }
    ::close(proc);
    enter(inside);
    set_default_routes(spec.interfaces);
    [[maybe_unused]] const auto ignored = ::write(status_fd, "started", 7);
    return 0;
}

}  // namespace stack::shim
