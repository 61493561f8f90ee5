#pragma once

// A container's output on disk: one line `<RFC 3339, ns, UTC> stdout|stderr F|P <text>` each, in
// files of bounded number and size. P: the line goes on in the next entry of the same stream.

#include <cstdint>
#include <string>
#include <string_view>

namespace stack::shim {

class Log {
  public:
    /// An empty path keeps nothing.
    Log(std::string path, std::uint64_t largest, std::uint32_t files);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    /// Appends what a stream has given. Blocks while the disk is full: output is not lost.
    void append(bool standard_error, std::string_view bytes);
    void sync() const;

  private:
    /// Postcondition: an entry of this size fits into the file after what is in the batch.
    void make_room(std::size_t entry);
    void flush();
    void rotate();
    void open();

    std::string path_;
    std::uint64_t largest_;
    std::uint32_t files_;
    std::uint64_t size_ = 0;
    int fd_ = -1;
    std::string batch_;
};

}  // namespace stack::shim
