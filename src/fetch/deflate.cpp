#include "fetch/deflate.h"

#include <stack/error.h>

#include <array>
#include <vector>

#include <isa-l/igzip_lib.h>

namespace stack::fetch {

struct Deflater::State {
    isal_zstream stream{};
    std::vector<std::uint8_t> level_buffer = std::vector<std::uint8_t>(ISAL_DEF_LVL2_DEFAULT);
    std::array<std::uint8_t, 256U << 10U> output{};
};

Deflater::Deflater(OnBytes on_bytes)
    : on_bytes_(std::move(on_bytes)), state_(std::make_unique<State>()) {
    auto& stream = state_->stream;
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_GZIP;
    stream.level = 2;
    stream.level_buf = state_->level_buffer.data();
    stream.level_buf_size = static_cast<std::uint32_t>(state_->level_buffer.size());
}

Deflater::~Deflater() = default;

void Deflater::pump() {
    auto& stream = state_->stream;
    do {
        stream.next_out = state_->output.data();
        stream.avail_out = static_cast<std::uint32_t>(state_->output.size());
        if (isal_deflate(&stream) != COMP_OK)
            throw Error("the layer cannot be packed");
        const std::size_t made = state_->output.size() - stream.avail_out;
        if (made > 0)
            on_bytes_({reinterpret_cast<const char*>(state_->output.data()), made});
    } while (stream.avail_out == 0);
}

void Deflater::feed(std::string_view bytes) {
    auto& stream = state_->stream;
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<std::uint32_t>(bytes.size());
    pump();
}

void Deflater::finish() {
    state_->stream.avail_in = 0;
    state_->stream.end_of_stream = 1;
    pump();
}

}  // namespace stack::fetch
