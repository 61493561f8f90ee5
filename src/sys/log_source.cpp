#include "sys/log_source.h"

#include "sys/file.h"
#include "sys/inotify.h"

#include <array>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::sys {

LogSource::LogSource(const std::string& path) : file_(open_file(path, O_RDONLY | O_NOFOLLOW)) {}

std::optional<std::string> LogSource::next() {
    for (;;) {
        const auto end = buffer_.find('\n', begin_);
        if (end != std::string::npos) {
            std::string line = buffer_.substr(begin_, end - begin_);
            begin_ = end + 1;
            return line;
        }
        buffer_.erase(0, begin_);
        begin_ = 0;
        std::array<char, 65536> bytes{};
        const auto count = check(::read(file_.get(), bytes.data(), bytes.size()), "read a log");
        if (count == 0 && !forget_what_is_gone())
            return std::nullopt;
        buffer_.append(bytes.data(), static_cast<std::size_t>(count));
    }
}

/// Whoever writes takes back a part of a line for which the disk had no room; and somebody may have
/// emptied the file (truncate(1), logrotate's copytruncate): what it has then is new. False where
/// neither was the case.
bool LogSource::forget_what_is_gone() {
    struct stat status {};

    const off_t read = ::lseek(file_.get(), 0, SEEK_CUR);
    if (::fstat(file_.get(), &status) < 0 || status.st_size >= read)
        return false;
    const auto gone = static_cast<std::size_t>(read - status.st_size);
    const bool is_of_last_line = gone <= buffer_.size();
    buffer_.resize(is_of_last_line ? buffer_.size() - gone : 0);
    check(::lseek(file_.get(), is_of_last_line ? status.st_size : 0, SEEK_SET), "go back in a log");
    return true;
}

bool LogSource::is_at(const std::string& path) const {
    return is_open_file(file_, path);
}

GrowthWatch::GrowthWatch() : inotify_(make_inotify()) {}

void GrowthWatch::add(const std::string& path) {
    const std::string directory = parent_path(path);
    if (is_directory(directory))
        check(::inotify_add_watch(
                  inotify_.get(), directory.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO),
              "watch " + directory);
}

void GrowthWatch::drain() const {
    std::array<char, 16384> events{};
    while (::read(inotify_.get(), events.data(), events.size()) > 0) {
    }
}

}  // namespace stack::sys
