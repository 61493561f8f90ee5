#pragma once

// Writing tar archives: the same entries give the same bytes (layer_writer.h says how).

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stack::image {

using ByteSink = std::function<void(std::string_view)>;

/// One entry of a tar archive (POSIX pax, "ustar Interchange Format").
struct TarEntry {
    std::string path;
    char type = '0';
    std::uint32_t mode = 0;
    std::uint64_t uid = 0;
    std::uint64_t gid = 0;
    std::uint64_t size = 0;
    std::int64_t mtime = 0;
    std::string link{};
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::vector<std::pair<std::string, std::string>> attributes{};  // xattrs
};

class TarStream {
  public:
    explicit TarStream(const ByteSink& sink) : sink_(sink) {}

    void header(const TarEntry& entry);

    void data(std::string_view bytes) { sink_(bytes); }

    /// Behind the data of an entry of this size.
    void pad(std::uint64_t size);
    void end();

  private:
    void write_header(const TarEntry& entry);

    const ByteSink& sink_;
};

}  // namespace stack::image
