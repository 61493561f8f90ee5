#include "cli/attachment.h"

#include <stack/error.h>

#include "cli/context.h"
#include "sys/file.h"
#include "sys/poll.h"

namespace stack::cli {
namespace {

constexpr int standard_input = 0;
constexpr int standard_output = 1;

/// What the shim sends; "" at the end, which is a reset where it left input of ours unread.
std::string receive(const sys::Fd& shim) {
    constexpr std::size_t most = 65536;
    try {
        return sys::read_some(shim, most);
    } catch (const Error&) {
        return {};
    }
}

}  // namespace

std::string detach_keys(const std::string& list) {
    const auto keys = parse_keys(list);
    if (!keys)
        give_up("\"" + list +
                "\" are no detach keys: a list is expected such as ctrl-p,ctrl-q or ctrl-],d");
    return *keys;
}

Attachment::Attachment(sys::Fd shim, AttachmentOptions options)
    : shim_(std::move(shim)),
      options_(std::move(options)),
      keys_(options_.terminal ? options_.detach_keys : std::string()),
      watch_(signals) {
    if (options_.input) {
        input_ = sys::standard_input();
        if (options_.terminal)
            raw_.emplace();
    }
    send_size();
}

AttachEnd Attachment::run() {
    while (!over_) {
        // Input waits for what was sent before, and never keeps output waiting.
        std::vector<sys::Wait> waits{{watch_.fd().get(), true, false},
                                     {shim_.get(), true, !waiting_.empty()},
                                     {input_.get(), waiting_.empty(), false}};
        sys::wait_ready(waits);
        try {
            if (waits[0].readable)
                take_signals();
            if (waits[2].readable)
                take_input();
            if (waits[1].writable)
                flush();
        } catch (const Error&) {
            waiting_.clear();  // the shim is gone; what it said last is still there
        }
        if (waits[1].readable)
            take_output();
    }
    raw_.reset();
    return end_;
}

void Attachment::send_size() {
    shim::TerminalSize size;
    if (sys::is_terminal(standard_output)) {
        size.rows = static_cast<std::uint16_t>(sys::terminal_height(standard_output));
        size.columns = static_cast<std::uint16_t>(sys::terminal_width(standard_output));
    }
    shim::append_frame(waiting_, shim::FrameKind::size, shim::encode(size));
}

/// Whether a person has asked three times: a program that does not listen keeps nobody.
bool Attachment::insists(int signal) {
    constexpr int patience = 3;
    if (signal == SIGINT || signal == SIGTERM)
        ++ends_asked_for_;
    return ends_asked_for_ >= patience;
}

void Attachment::take_signals() {
    while (const auto signal = watch_.next()) {
        if (*signal == SIGWINCH) {
            send_size();
        } else if (insists(*signal)) {
            sys::write_err("got 3 SIGTERM/SIGINTs, forcefully exiting\n");
            end_.signal = *signal;
            over_ = true;
        } else if (options_.proxy_signals) {
            const char number = static_cast<char>(*signal);
            shim::append_frame(waiting_, shim::FrameKind::signal, {&number, 1});
        } else {
            end_.signal = *signal;
            over_ = true;
        }
    }
    flush();
}

void Attachment::take_input() {
    const std::string typed = sys::read_some(input_, shim::largest_payload);
    if (typed.empty()) {
        shim::append_frame(waiting_, shim::FrameKind::end, "");
        input_.reset();
    } else {
        shim::append_frames(waiting_, shim::FrameKind::input, keys_.pass(typed));
        end_.detached = keys_.typed();
        over_ = over_ || end_.detached;
    }
    flush();
}

void Attachment::take_output() {
    const std::string bytes = receive(shim_);
    over_ = over_ || bytes.empty();
    reader_.add(bytes);
    while (const auto frame = reader_.next())
        show(*frame);
}

void Attachment::show(const shim::Frame& frame) {
    if (frame.kind == shim::FrameKind::output) {
        if (options_.output)
            sys::write_out(frame.payload);
    } else if (frame.kind == shim::FrameKind::error) {
        if (options_.error)
            sys::write_err(frame.payload);
    } else if (frame.kind == shim::FrameKind::exit && frame.payload.size() == 1) {
        end_.status = static_cast<unsigned char>(frame.payload[0]);
        over_ = true;
    }
}

void Attachment::flush() {
    waiting_.erase(0, sys::write_some(shim_, waiting_));
}

}  // namespace stack::cli
