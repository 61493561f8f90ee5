#pragma once

// Those attached to a container: each gets what it prints, and may type. None of them can stall it:
// who does not keep up is left behind. Only the client that a container was made for (`stack run`)
// is waited for, as a pipe would: its output must be whole.

#include "shim/frame.h"
#include "shim/input.h"

#include <string>
#include <vector>

#include <poll.h>

namespace stack::shim {

/// What clients reach of the container.
struct AttachTarget {
    int process = -1;   // a pidfd
    int terminal = -1;  // its master; none: -1
    int input = -1;     // owned by Attached from then on; none: -1
};

class Attached {
  public:
    /// Listens at `<directory>/attach.sock`. `owned`: the first client is the one that the
    /// container runs for, and ends its input.
    Attached(const std::string& directory, bool owned);
    ~Attached();
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

    void reach(const AttachTarget& target);

    /// Waits until the first client is there. False where none came in time or the container ended.
    [[nodiscard]] bool await_owner();

    /// What the container printed, for every client.
    void give(FrameKind kind, std::string_view bytes);

    /// Whether the owner has not taken what was given: nothing more is to be read meanwhile.
    [[nodiscard]] bool holds_output() const;

    /// Appends what is to be waited for.
    void watch(std::vector<pollfd>& entries);
    /// Does what the wait said of these.
    void serve(const std::vector<pollfd>& entries);

    /// Tells the status to all. What they have not taken yet waits for them in the kernel.
    void finish(int status);

  private:
    struct Client {
        int fd = -1;
        FrameReader reader;
        std::string waiting;  // not taken yet
        bool greeted = false;
        bool owner = false;
    };

    void accept_clients();
    void read_from(Client& client);
    void obey(Client& client, const Frame& frame);
    void end_input(const Client& client);
    static void flush(Client& client);
    static void drop(Client& client);

    bool owned_;
    int listener_ = -1;
    AttachTarget target_;
    Input input_;
    std::vector<Client> clients_;
    std::size_t first_ = 0;  // of our entries in the last wait
};

}  // namespace stack::shim
