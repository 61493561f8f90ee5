#pragma once

// This terminal, or this program's standard streams, as those of a container, by way of its shim
// (shim/frame.h).

#include "cli/detach_keys.h"
#include "shim/frame.h"
#include "sys/fd.h"
#include "sys/signals.h"
#include "sys/terminal.h"

#include <csignal>
#include <initializer_list>
#include <optional>
#include <string>

namespace stack::cli {

struct AttachmentOptions {
    bool terminal = false;  // the container has one: ours is raw, if there is one
    bool input = true;
    bool output = true;
    bool error = true;
    bool proxy_signals = true;
    std::string detach_keys;  // bytes
};

/// How it ended: with the container, or before it.
struct AttachEnd {
    std::optional<int> status;  // of the container
    bool detached = false;      // by the keys
    int signal = 0;             // by this signal
};

class Attachment {
  public:
    /// What it passes on, or ends at.
    static constexpr std::initializer_list<int> signals{
        SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

    /// `shim`: a connection to the container's shim.
    Attachment(sys::Fd shim, AttachmentOptions options);

    /// Passes input, output and signals on until the container ends, a person detaches, or the shim
    /// is gone.
    AttachEnd run();

  private:
    void send_size();
    void take_input();
    void take_output();
    void take_signals();
    bool insists(int signal);
    void show(const shim::Frame& frame);
    void flush();

    sys::Fd shim_;
    AttachmentOptions options_;
    DetachKeys keys_;
    sys::SignalWatch watch_;
    std::optional<sys::RawTerminal> raw_;
    sys::Fd input_;
    shim::FrameReader reader_;
    std::string waiting_;  // for the shim
    AttachEnd end_;
    bool over_ = false;
    int ends_asked_for_ = 0;  // SIGINT and SIGTERM
};

/// Gives up where `list` names no keys (parse_keys).
[[nodiscard]] std::string detach_keys(const std::string& list);

constexpr const char* default_detach_keys = "ctrl-p,ctrl-q";

/// What a shell adds to the number of the signal that ended a program.
constexpr int signal_status_base = 128;

}  // namespace stack::cli
