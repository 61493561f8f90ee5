#include "fetch/inflate.h"

#include <stack/error.h>

#include <array>
#include <vector>

#include <isa-l/igzip_lib.h>
#include <zstd.h>

namespace stack::fetch {

class Inflater::Format {
  public:
    virtual ~Format() = default;
    virtual void feed(std::string_view bytes) = 0;
    /// Whether the stream may end here.
    [[nodiscard]] virtual bool complete() const = 0;
};

namespace {

constexpr std::size_t output_step = 256U << 10U;

[[noreturn]] void damaged(const char* what) {
    throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                std::string("the layer's ") + what + " data is damaged");
}

class Plain final : public Inflater::Format {
  public:
    explicit Plain(Inflater::OnBytes on_bytes) : on_bytes_(std::move(on_bytes)) {}

    void feed(std::string_view bytes) override { on_bytes_(bytes); }

    [[nodiscard]] bool complete() const override { return true; }

  private:
    Inflater::OnBytes on_bytes_;
};

/// Members follow each other (RFC 1952 section 2.2): eStargz and parallel compressors make
/// thousands.
class Gzip final : public Inflater::Format {
  public:
    explicit Gzip(Inflater::OnBytes on_bytes)
        : on_bytes_(std::move(on_bytes)), output_(output_step) {
        isal_inflate_init(&state_);
        state_.crc_flag = ISAL_GZIP;
    }

    void feed(std::string_view bytes) override {
        state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(bytes.data()));
        state_.avail_in = static_cast<std::uint32_t>(bytes.size());
        for (;;) {
            if (state_.block_state == ISAL_BLOCK_FINISH) {
                if (state_.avail_in == 0)
                    return;
                next_member();
            }
            state_.next_out = output_.data();
            state_.avail_out = static_cast<std::uint32_t>(output_.size());
            if (isal_inflate(&state_) != ISAL_DECOMP_OK)
                damaged("gzip");
            const std::size_t made = output_.size() - state_.avail_out;
            if (made > 0)
                on_bytes_(std::string_view(reinterpret_cast<const char*>(output_.data()), made));
            if (made < output_.size() && state_.avail_in == 0)
                return;
        }
    }

    [[nodiscard]] bool complete() const override { return state_.block_state == ISAL_BLOCK_FINISH; }

  private:
    void next_member() {
        const auto* input = state_.next_in;
        const auto left = state_.avail_in;
        isal_inflate_reset(&state_);
        state_.crc_flag = ISAL_GZIP;
        state_.next_in = const_cast<std::uint8_t*>(input);
        state_.avail_in = left;
    }

    Inflater::OnBytes on_bytes_;
    inflate_state state_{};
    std::vector<std::uint8_t> output_;
};

class Zstd final : public Inflater::Format {
  public:
    explicit Zstd(Inflater::OnBytes on_bytes)
        : on_bytes_(std::move(on_bytes)),
          stream_(ZSTD_createDStream(), ZSTD_freeDStream),
          output_(output_step) {
        constexpr int largest_window = 27;  // 128 MiB: what `zstd --long` makes
        ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, largest_window);
    }

    void feed(std::string_view bytes) override {
        ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
        bool full = false;
        while (input.pos < input.size || full) {
            ZSTD_outBuffer output{output_.data(), output_.size(), 0};
            left_ = ZSTD_decompressStream(stream_.get(), &output, &input);
            if (ZSTD_isError(left_) != 0)
                damaged("zstd");
            if (output.pos > 0)
                on_bytes_(std::string_view(output_.data(), output.pos));
            full = output.pos == output.size;
        }
    }

    [[nodiscard]] bool complete() const override { return left_ == 0; }

  private:
    Inflater::OnBytes on_bytes_;
    std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_;
    std::vector<char> output_;
    std::size_t left_ = 0;
};

bool is_gzip(std::string_view head) {
    return head.starts_with("\x1f\x8b\x08");
}

bool is_zstd(std::string_view head) {
    if (head.size() < 4)
        return false;
    const bool skippable = (static_cast<unsigned char>(head[0]) & 0xF0U) == 0x50U &&
                           head.substr(1, 3) == "\x2a\x4d\x18";
    return head.starts_with("\x28\xb5\x2f\xfd") || skippable;
}

}  // namespace

Packing packing_of(std::string_view head) {
    if (is_gzip(head))
        return Packing::gzip;
    return is_zstd(head) ? Packing::zstd : Packing::none;
}

Inflater::Inflater(OnBytes on_bytes) : on_bytes_(std::move(on_bytes)) {}

Inflater::~Inflater() = default;

void Inflater::choose() {
    const Packing packing = packing_of(head_);
    if (packing == Packing::gzip)
        format_ = std::make_unique<Gzip>(on_bytes_);
    else if (packing == Packing::zstd)
        format_ = std::make_unique<Zstd>(on_bytes_);
    else
        format_ = std::make_unique<Plain>(on_bytes_);
    format_->feed(head_);
}

void Inflater::feed(std::string_view bytes) {
    if (format_) {
        format_->feed(bytes);
        return;
    }
    head_ += bytes;
    if (head_.size() >= enough_to_tell)
        choose();
}

void Inflater::finish() {
    if (!format_)
        choose();
    if (!format_->complete())
        throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                    "the layer's compressed data ends too early");
}

}  // namespace stack::fetch
