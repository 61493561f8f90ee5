#pragma once

// Questions that others must answer: each by a socket of its own, so that its port is as hard to
// guess as its number, and only the asked server can answer it.

#include "base/ip.h"
#include "dns/loop.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace stack::dns {

/// How a question is passed on: as it came.
enum class Transport { udp, tcp };

class Forwarder {
  public:
    /// Called once with the answer's bytes; "" where no server answered in time.
    using Done = std::function<void(std::string response)>;

    explicit Forwarder(Loop& loop) : loop_(loop) {}

    /// Asks the servers one after the other, five seconds in all. At most 1024 questions are under
    /// way; further ones are done with "" at once.
    void ask(std::string query,
             const std::vector<IpAddress>& servers,
             Transport transport,
             Done done);

    [[nodiscard]] bool is_idle() const { return questions_.empty(); }

    /// Gives up on what has waited too long.
    void expire(Instant now);

  private:
    struct Question {
        std::string query;       // with a number of ours
        std::uint16_t asker_id;  // the number it came with
        std::vector<IpAddress> servers;
        std::size_t next_server = 0;
        Transport transport = Transport::udp;
        Instant give_up_at;
        sys::Fd socket;
        std::uint64_t watch = 0;
        std::string outgoing;  // TCP: what is still to be sent
        std::string incoming;
        Done done;
    };

    using Number = std::uint64_t;

    void try_next_server(Number number);
    void on_event(Number number);
    void on_datagram(Number number, Question& question);
    void on_stream(Number number, Question& question);
    void accept_response(Number number, std::string response);
    void finish(Number number, std::string response);
    void disconnect(Question& question);

    Loop& loop_;
    Number last_ = 0;
    std::map<Number, Question> questions_;
};

}  // namespace stack::dns
