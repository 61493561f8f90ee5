#include "dns/service.h"

#include "base/failpoint.h"
#include "base/name_service.h"
#include "dns/packet.h"
#include "dns/socket.h"
#include "sys/file.h"
#include "sys/inotify.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>

namespace stack::dns {
namespace {

constexpr std::size_t most_connections = 512;
constexpr std::chrono::seconds connection_patience{10};
constexpr std::size_t longest_query =
    4096;  // a question with all its extras has a few hundred bytes
constexpr std::size_t most_outgoing = 1U
                                      << 20U;  // what an asker that does not read may make us keep
constexpr std::size_t largest_tcp_message = 65535;
constexpr int datagrams_at_once = 64;  // then the others have their turn

Instant now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

Service::Service(const std::string& directory)
    : directory_(directory), random_(std::random_device{}()) {
    watch_directory();
    load_table();
}

void Service::watch_directory() {
    inotify_ = sys::make_inotify();
    // The directory, because the file itself is replaced by another.
    sys::check(::inotify_add_watch(inotify_.get(),
                                   directory_.c_str(),
                                   IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR),
               "watch " + directory_);
    loop_.watch(inotify_, EPOLLIN, [this](std::uint32_t) { on_directory_change(); });
}

void Service::on_directory_change() {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    // Which file changed does not matter: the table is read again, whole. A directory that is in
    // the place of ours belongs to another service.
    for (ssize_t count = 0; (count = ::read(inotify_.get(), buffer.data(), buffer.size())) > 0;) {
        for (const char* at = buffer.data(); at < buffer.data() + count;) {
            const auto* event = reinterpret_cast<const inotify_event*>(at);
            // The end of the directory is not told while we have files of it open: their ends are.
            const bool was_lock = (event->mask & IN_DELETE) != 0 && event->len != 0 &&
                                  std::string_view(event->name) == lock_name;
            directory_is_gone_ = directory_is_gone_ || was_lock || (event->mask & IN_IGNORED) != 0;
            at += sizeof(inotify_event) + event->len;
        }
    }
    if (!directory_is_gone_)
        load_table();
}

void Service::load_table() {
    table_ = parse_table(sys::read_file(directory_ + "/names").value_or(""));
    read_host_resolver();
    for (auto listener = listeners_.begin(); listener != listeners_.end();) {
        if (table_.count(listener->first.first) != 0) {
            ++listener;
            continue;
        }
        close(listener->second);
        listener = listeners_.erase(listener);
    }
    for (const auto& [address, scope] : table_)
        for (const auto port : {dns_port, name_service_port})
            listeners_.try_emplace({address, port});
    open_missing();
}

void Service::read_host_resolver() {
    host_ = parse_resolv_conf(sys::read_file("/etc/resolv.conf").value_or(""));
    // A host that asks us would be asked by us, without end.
    std::erase_if(host_.servers,
                  [this](const IpAddress& server) { return table_.count(server) != 0; });
    host_read_at_ = now();
}

void Service::open_missing() {
    for (auto& [place, listener] : listeners_) {
        if (!listener.udp || !listener.tcp)
            open(place, listener);
    }
}

void Service::open(const Place& place, Listener& listener) {
    STACK_FAILPOINT("dns.bind");
    const auto& [address, port] = place;
    if (!listener.udp) {
        listener.udp = bound_socket(address, port, SOCK_DGRAM);
        if (listener.udp)
            listener.udp_watch = loop_.watch(
                listener.udp, EPOLLIN, [this, place](std::uint32_t) { on_datagrams(place); });
    }
    if (listener.udp && !listener.tcp) {
        listener.tcp = bound_socket(address, port, SOCK_STREAM);
        if (listener.tcp)
            listener.tcp_watch = loop_.watch(
                listener.tcp, EPOLLIN, [this, place](std::uint32_t) { on_connections(place); });
    }
    const bool complete = listener.udp && listener.tcp;
    if (!complete && !listener.complained && port == name_service_port)
        std::fprintf(stderr,
                     "stack-dns: port %d of %s cannot be had: %s; names do not resolve there until "
                     "it can (who else listens there?)\n",
                     port,
                     to_text(address).c_str(),
                     std::strerror(errno));
    if (complete && listener.complained && port == name_service_port)
        std::fprintf(
            stderr, "stack-dns: port %d of %s is served now\n", port, to_text(address).c_str());
    listener.complained = !complete;
}

void Service::close(Listener& listener) {
    loop_.unwatch(listener.udp_watch, listener.udp);
    loop_.unwatch(listener.tcp_watch, listener.tcp);
}

bool Service::has_missing() const {
    return std::any_of(listeners_.begin(), listeners_.end(), [](const auto& entry) {
        return !entry.second.udp || !entry.second.tcp;
    });
}

void Service::on_datagrams(const Place& place) {
    std::array<char, longest_query> buffer{};
    for (int i = 0; i < datagrams_at_once; ++i) {
        const auto listener = listeners_.find(place);
        if (listener == listeners_.end())
            return;
        SocketAddress asker;
        const auto length = ::recvfrom(listener->second.udp.get(),
                                       buffer.data(),
                                       buffer.size(),
                                       0,
                                       asker.get(),
                                       &asker.length);
        if (length < 0)
            return;
        const Reply reply = [this, place, asker](const std::string& message) {
            const auto still = listeners_.find(place);
            if (still != listeners_.end() && still->second.udp)
                ::sendto(still->second.udp.get(),
                         message.data(),
                         message.size(),
                         0,
                         asker.get(),
                         asker.length);
        };
        answer(place.first,
               host_of(asker),
               std::string(buffer.data(), static_cast<std::size_t>(length)),
               Transport::udp,
               reply);
    }
}

void Service::on_connections(const Place& place) {
    SocketAddress asker;
    sys::Fd socket(::accept4(
        listeners_.at(place).tcp.get(), asker.get(), &asker.length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket)
        return;
    if (connections_.size() >= most_connections)
        close_oldest_connection();
    const ConnectionNumber number = ++last_connection_;
    Connection& connection = connections_[number];
    connection.socket = std::move(socket);
    connection.gateway = place.first;
    connection.asker = host_of(asker);
    connection.last_used = now();
    connection.watch = loop_.watch(
        connection.socket, EPOLLIN, [this, number](std::uint32_t) { on_stream(number); });
}

void Service::on_stream(ConnectionNumber number) {
    Connection& connection = connections_.at(number);
    const Transfer sent = send_some(connection.socket, connection.outgoing);
    if (sent == Transfer::done)
        loop_.change(connection.watch, connection.socket, EPOLLIN);
    const Transfer received = receive_some(connection.socket, connection.incoming, longest_query);
    if (sent == Transfer::closed || received == Transfer::closed) {
        close_connection(number);
        return;
    }
    const Reply reply = [this, number](const std::string& message) { send_on(number, message); };
    const IpAddress gateway = connection.gateway;
    const IpAddress asker = connection.asker;
    while (connections_.count(number) != 0) {
        auto query = take_frame(connections_.at(number).incoming);
        if (!query)
            return;
        connections_.at(number).last_used = now();
        answer(gateway, asker, std::move(*query), Transport::tcp, reply);
    }
}

void Service::send_on(ConnectionNumber number, const std::string& message) {
    const auto found = connections_.find(number);
    if (found == connections_.end())
        return;
    Connection& connection = found->second;
    connection.outgoing += framed(message);
    const Transfer sent = send_some(connection.socket, connection.outgoing);
    if (sent == Transfer::closed || connection.outgoing.size() > most_outgoing)
        close_connection(number);
    else if (sent == Transfer::waiting)
        loop_.change(connection.watch, connection.socket, EPOLLIN | EPOLLOUT);
}

void Service::close_connection(ConnectionNumber number) {
    const auto node = connections_.extract(number);
    loop_.unwatch(node.mapped().watch, node.mapped().socket);
}

void Service::close_oldest_connection() {
    const auto oldest = std::min_element(
        connections_.begin(), connections_.end(), [](const auto& a, const auto& b) {
            return a.second.last_used < b.second.last_used;
        });
    close_connection(oldest->first);
}

void Service::expire() {
    const Instant moment = now();
    forwarder_.expire(moment);
    std::vector<ConnectionNumber> idle;
    for (const auto& [number, connection] : connections_) {
        if (connection.last_used + connection_patience <= moment)
            idle.push_back(number);
    }
    for (const ConnectionNumber number : idle)
        close_connection(number);
}

void Service::answer(const IpAddress& gateway,
                     const IpAddress& asker,
                     std::string packet,
                     Transport transport,
                     const Reply& reply) {
    const auto query = parse_query(packet);
    const auto scope = table_.find(gateway);
    if (!query || scope == table_.end())
        return;
    const std::size_t limit = transport == Transport::tcp ? largest_tcp_message : query->udp_size;
    if (auto known = find_answer(table_, {gateway, asker}, *query, host_.search)) {
        std::shuffle(known->addresses.begin(), known->addresses.end(), random_);
        reply(compose_answer(packet, *query, *known, limit));
        return;
    }
    if (now() - host_read_at_ > std::chrono::seconds(1))
        read_host_resolver();
    forwarder_.ask(packet,
                   servers_for(scope->second, asker, host_),
                   transport,
                   [reply, packet, question = *query, limit](std::string response) {
                       if (response.empty())
                           response = compose_answer(
                               packet, question, {.status = Status::server_failure}, limit);
                       reply(std::move(response));
                   });
}

void Service::run() {
    while (!directory_is_gone_) {
        const bool missing = has_missing();
        loop_.run_once(missing || !connections_.empty() || !forwarder_.is_idle());
        expire();
        if (missing)
            open_missing();
    }
}

}  // namespace stack::dns
