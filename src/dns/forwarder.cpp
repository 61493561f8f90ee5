#include "dns/forwarder.h"

#include "dns/packet.h"
#include "dns/socket.h"

#include <array>
#include <chrono>

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

namespace stack::dns {
namespace {

constexpr std::size_t most_questions = 1024;
constexpr std::chrono::milliseconds patience{5000};
constexpr std::size_t largest_message = 65535 + 2;

std::uint16_t random_id() {
    std::uint16_t id = 0;
    if (::getrandom(&id, sizeof id, 0) != sizeof id)
        sys::fail("get a random number");
    return id;
}

}  // namespace

void Forwarder::ask(std::string query,
                    const std::vector<IpAddress>& servers,
                    Transport transport,
                    Done done) {
    if (questions_.size() >= most_questions || servers.empty()) {
        done({});
        return;
    }
    Question question;
    question.asker_id = message_id(query);
    set_message_id(query, random_id());
    question.query = std::move(query);
    question.servers = servers;
    question.transport = transport;
    question.done = std::move(done);
    const Number number = ++last_;
    questions_.emplace(number, std::move(question));
    try_next_server(number);
}

void Forwarder::try_next_server(Number number) {
    Question& question = questions_.at(number);
    disconnect(question);
    const bool udp = question.transport == Transport::udp;
    while (question.next_server < question.servers.size()) {
        const IpAddress& server = question.servers[question.next_server++];
        question.socket = connected_socket(server, udp ? SOCK_DGRAM : SOCK_STREAM);
        if (!question.socket)
            continue;
        if (udp && ::send(question.socket.get(),
                          question.query.data(),
                          question.query.size(),
                          MSG_NOSIGNAL) < 0)
            continue;
        question.outgoing = udp ? std::string() : framed(question.query);
        question.incoming.clear();
        question.give_up_at = std::chrono::steady_clock::now() + patience / question.servers.size();
        const std::uint32_t events = udp ? EPOLLIN : EPOLLIN | EPOLLOUT;
        question.watch = loop_.watch(
            question.socket, events, [this, number](std::uint32_t) { on_event(number); });
        return;
    }
    finish(number, {});
}

void Forwarder::on_event(Number number) {
    const auto found = questions_.find(number);
    if (found == questions_.end())
        return;
    if (found->second.transport == Transport::udp)
        on_datagram(number, found->second);
    else
        on_stream(number, found->second);
}

void Forwarder::on_datagram(Number number, Question& question) {
    std::array<char, 65535> buffer{};
    const auto length = ::recv(question.socket.get(), buffer.data(), buffer.size(), 0);
    if (length < 0) {
        if (errno != EAGAIN && errno != EINTR)  // ICMP: nobody listens there
            try_next_server(number);
        return;
    }
    std::string response(buffer.data(), static_cast<std::size_t>(length));
    if (answers(response, question.query))
        accept_response(number, std::move(response));
}

void Forwarder::on_stream(Number number, Question& question) {
    const Transfer sent = send_some(question.socket, question.outgoing);
    if (sent == Transfer::done)
        loop_.change(question.watch, question.socket, EPOLLIN);
    const Transfer received =
        sent == Transfer::done ? receive_some(question.socket, question.incoming, largest_message)
                               : Transfer::waiting;
    auto response = take_frame(question.incoming);
    if (response && answers(*response, question.query))
        accept_response(number, std::move(*response));
    else if (sent == Transfer::closed || received == Transfer::closed || response)
        try_next_server(number);
}

void Forwarder::accept_response(Number number, std::string response) {
    set_message_id(response, questions_.at(number).asker_id);
    finish(number, std::move(response));
}

void Forwarder::finish(Number number, std::string response) {
    const auto node = questions_.extract(number);
    disconnect(node.mapped());
    node.mapped().done(std::move(response));
}

void Forwarder::disconnect(Question& question) {
    if (question.watch != 0)
        loop_.unwatch(question.watch, question.socket);
    question.watch = 0;
    question.socket.reset();
}

void Forwarder::expire(Instant now) {
    std::vector<Number> late;
    for (const auto& [number, question] : questions_) {
        if (question.give_up_at <= now)
            late.push_back(number);
    }
    for (const Number number : late)
        try_next_server(number);
}

}  // namespace stack::dns
