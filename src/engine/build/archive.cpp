#include "engine/build/archive.h"

#include <array>
#include <string_view>

#include <unistd.h>

namespace stack::build {

bool may_be_archive(const sys::Fd& file) {
    constexpr std::size_t magic_at = 257;
    std::array<char, 512> head{};
    const auto size = ::pread(file.get(), head.data(), head.size(), 0);
    const std::string_view text(head.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return text.starts_with("\x1F\x8B") || text.starts_with("BZh") ||
           text.starts_with(
               "\xFD"
               "7zXZ") ||
           text.starts_with("\x28\xB5\x2F\xFD") ||
           (text.size() > magic_at && text.substr(magic_at).starts_with("ustar"));
}

}  // namespace stack::build
