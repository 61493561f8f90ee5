#pragma once

// Records that others read: written whole, beside and renamed into place.

#include <string>

namespace stack::shim {

/// Postcondition: `<directory>/<name>` holds `text`. False where the disk refused, as errno says.
[[nodiscard]] bool write_record(const std::string& directory,
                                const std::string& name,
                                const std::string& text);

/// A record whose place is taken ahead, so that a full disk does not keep it from being written.
class ReservedRecord {
  public:
    /// Gives up where the disk is full already.
    ReservedRecord(const std::string& directory, const std::string& name);
    ~ReservedRecord();
    ReservedRecord(const ReservedRecord&) = delete;
    ReservedRecord& operator=(const ReservedRecord&) = delete;

    /// Postcondition: the record holds `text`, which is short, or the disk has refused for a while.
    void write(const std::string& text) const;

  private:
    std::string path_;
    std::string temporary_;
    int fd_ = -1;
};

/// Field 22 of /proc/PID/stat: tells a process from a later one of the same number. 0 where it is
/// gone.
[[nodiscard]] unsigned long long start_time(int pid);

/// The number behind "oom_kill" in a cgroup file; 0 where there is none.
[[nodiscard]] unsigned long long oom_kills(const std::string& file);

/// Nanoseconds since 1970.
[[nodiscard]] long long wall_clock();

}  // namespace stack::shim
