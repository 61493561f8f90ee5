#include "engine/build/source_file.h"

#include "base/digest.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace stack::build {
namespace {

/// Wraps around: files may say that they are of the year 2300.
std::int64_t nanoseconds(const timespec& time) {
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.tv_sec) * ns_per_s +
                                     static_cast<std::uint64_t>(time.tv_nsec));
}

/// A slash separates names, so it is less than what can be in one.
int rank(char c) {
    return c == '/' ? 0 : static_cast<unsigned char>(c);
}

/// Fields, each ended by a NUL, on their way into a digest: a piece at a time, for there are many.
class FieldDigest {
  public:
    FieldDigest& add(std::string_view text) {
        text_ += text;
        return *this;
    }

    template <class Number>
    FieldDigest& number(Number value) {
        std::array<char, 20> text{};
        char* const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
        text_.append(text.data(), end);
        return *this;
    }

    FieldDigest& end() {
        constexpr std::size_t piece = 32768;
        text_ += '\0';
        if (text_.size() > piece) {
            digest_.update(text_);
            text_.clear();
        }
        return *this;
    }

    std::string finish() {
        digest_.update(text_);
        return digest_.finish();
    }

  private:
    Sha256 digest_;
    std::string text_;
};

}  // namespace

FileIdentity identity_of(const struct stat& status) {
    return {status.st_dev,
            status.st_ino,
            status.st_size,
            nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim)};
}

bool comes_before(std::string_view path, std::string_view other) {
    const auto [at, there] = std::mismatch(path.begin(), path.end(), other.begin(), other.end());
    if (there == other.end())
        return false;
    return at == path.end() || rank(*at) < rank(*there);
}

std::string content_digest(const std::vector<SourceFile>& files) {
    FieldDigest digest;
    for (const auto& file : files) {
        const auto& status = file.status;
        digest.add(file.name()).end();
        digest.number(status.st_mode).add(" ").number(status.st_uid).add(" ");
        digest.number(status.st_gid).add(" ").number(status.st_rdev).end();
        digest.add(file.link).end();
        digest.add(file.digest).end();
    }
    return digest.finish();
}

}  // namespace stack::build
