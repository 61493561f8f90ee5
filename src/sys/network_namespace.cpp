#include "sys/network_namespace.h"

#include <stack/error.h>

#include <system_error>
#include <thread>

#include <sched.h>
#include <sys/socket.h>

namespace stack::sys {

Fd make_tcp_socket(const Fd& network, Family family) {
    Fd socket;
    int error = 0;
    // A namespace is a thread's own: this one goes in, and need not find its way back.
    const auto make = [&] {
        const int domain = family == Family::v4 ? AF_INET : AF_INET6;
        if (::setns(network.get(), CLONE_NEWNET) == 0)
            socket.reset(::socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        error = errno;
    };
    try {
        std::thread(make).join();
    } catch (const std::system_error& refusal) {
        throw Error(refusal.code(), "start a thread");
    }
    if (!socket)
        fail("make a socket in another network namespace", error);
    return socket;
}

}  // namespace stack::sys
