#pragma once

// A container's output on disk: one line `<RFC 3339, ns, UTC> stdout|stderr F|P <text>` each, in
// files of bounded number and size. P: the line goes on in the next entry of the same stream.

#include <cstdint>
#include <string>
#include <string_view>

namespace stack::shim {

/// What becomes of output while the disk is full: it waits in its pipe, and the container with it,
/// or it is dropped, and how much of it is told in the log when there is room again.
enum class WhenFull { wait, drop };

class Log {
  public:
    /// An empty path keeps nothing.
    Log(std::string path, std::uint64_t largest, std::uint32_t files, WhenFull when_full);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    /// Appends what a stream has given; never blocks for want of room. The log does not wait.
    void append(bool standard_error, std::string_view bytes);

    /// Whether what was appended last waits for room: nothing more is to be appended meanwhile.
    [[nodiscard]] bool waits() const { return !batch_.empty() || !rest_.empty(); }

    /// In how many milliseconds to retry(); -1: there is no need to.
    [[nodiscard]] int patience_ms() const;
    /// Writes what waits, where there is room by now.
    void retry();

    /// The container's end does not wait for ever: what waits is dropped, and so is what comes.
    void drop_from_now();
    void sync() const;

  private:
    /// Adds entries; returns the rest for which there was no room.
    [[nodiscard]] std::string_view add(std::string_view bytes);
    /// Postcondition: an entry of this size fits into the file after what is in the batch. False
    /// where the disk is full.
    [[nodiscard]] bool make_room(std::size_t entry);
    /// Entries come to the disk whole or not at all. False where it is full.
    [[nodiscard]] bool flush();
    void keep_whole_entries(std::size_t written);
    void rotate();
    [[nodiscard]] bool open();
    void keep_to_name();
    void drop_what_waits();
    void tell_what_was_dropped();

    std::string path_;
    std::uint64_t largest_;
    std::uint32_t files_;
    WhenFull when_full_;
    std::uint64_t size_ = 0;
    int fd_ = -1;
    std::string head_;           // of entries of the stream that was appended last
    std::string batch_;          // entries to be written
    std::string rest_;           // of what was appended last, for which there was no room
    std::uint64_t dropped_ = 0;  // entries
};

}  // namespace stack::shim
