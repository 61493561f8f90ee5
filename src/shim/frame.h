#pragma once

// What a shim and those attached to its container say to each other over the unix stream socket
// <run>/containers/<id>/attach.sock: frames of
//
//   1 byte    kind
//   2 bytes   length of the payload, little-endian, at most largest_payload
//   …         payload
//
// A client's first frame is `size`: from then on it receives what the container prints. The last
// frame it receives is `exit`; end of file without one means that it was left behind, or that the
// shim died.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stack::shim {

enum class FrameKind : char {
    // of a client
    size = 'w',    // rows and columns of its terminal, 2 bytes each; 0 and 0: it has none
    input = 'i',   // for the container's standard input
    end = 'z',     // it has no more input
    signal = 's',  // 1 byte: a signal for the container's first process
    // of the shim
    output = 'o',  // what the container printed; all of it, where it has a terminal
    error = 'e',   // what it printed to standard error
    exit = 'x',    // 1 byte: its status, as a shell has it
};

constexpr std::size_t largest_payload = 16384;

struct Frame {
    FrameKind kind = FrameKind::input;
    std::string payload;
};

/// Appends `bytes` to `stream`, as frames of this kind: none where there are no bytes.
void append_frames(std::string& stream, FrameKind kind, std::string_view bytes);
/// Appends one frame; `payload` fits into it.
void append_frame(std::string& stream, FrameKind kind, std::string_view payload);

/// Takes a stream apart into the frames that it was made of.
class FrameReader {
  public:
    void add(std::string_view bytes) { stream_ += bytes; }

    /// The next whole frame; nullopt where the rest of it has not come.
    [[nodiscard]] std::optional<Frame> next();

    /// Whether what came cannot be a stream of frames.
    [[nodiscard]] bool is_broken() const { return broken_; }

  private:
    std::string stream_;
    bool broken_ = false;
};

struct TerminalSize {
    std::uint16_t rows = 0;
    std::uint16_t columns = 0;
};

[[nodiscard]] std::string encode(const TerminalSize& size);
[[nodiscard]] std::optional<TerminalSize> decode_size(std::string_view payload);

}  // namespace stack::shim
