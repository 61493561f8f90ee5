#include "shim/frame.h"

#include <algorithm>

namespace stack::shim {
namespace {

constexpr std::size_t head_size = 3;

void append_number(std::string& stream, std::size_t number) {
    stream += static_cast<char>(number & 0xffU);
    stream += static_cast<char>(number >> 8U & 0xffU);
}

std::uint16_t number_at(std::string_view bytes, std::size_t place) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[place + i]); };
    return static_cast<std::uint16_t>(byte(0) | byte(1) << 8U);
}

bool is_kind(char byte) {
    return std::string_view("wizsoex").find(byte) != std::string_view::npos;
}

}  // namespace

void append_frame(std::string& stream, FrameKind kind, std::string_view payload) {
    stream += static_cast<char>(kind);
    append_number(stream, payload.size());
    stream += payload;
}

void append_frames(std::string& stream, FrameKind kind, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, largest_payload);
        append_frame(stream, kind, part);
        bytes.remove_prefix(part.size());
    }
}

std::optional<Frame> FrameReader::next() {
    if (broken_ || stream_.size() < head_size)
        return std::nullopt;
    const std::size_t length = number_at(stream_, 1);
    broken_ = !is_kind(stream_[0]) || length > largest_payload;
    if (broken_ || stream_.size() < head_size + length)
        return std::nullopt;
    Frame frame{static_cast<FrameKind>(stream_[0]), stream_.substr(head_size, length)};
    stream_.erase(0, head_size + length);
    return frame;
}

std::string encode(const TerminalSize& size) {
    std::string payload;
    append_number(payload, size.rows);
    append_number(payload, size.columns);
    return payload;
}

std::optional<TerminalSize> decode_size(std::string_view payload) {
    constexpr std::size_t size = 4;
    if (payload.size() != size)
        return std::nullopt;
    return TerminalSize{number_at(payload, 0), number_at(payload, 2)};
}

}  // namespace stack::shim
