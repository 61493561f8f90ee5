#include "cli/output_file.h"

#include "base/random.h"
#include "cli/context.h"
#include "cli/here.h"
#include "sys/file.h"
#include "sys/terminal.h"
#include "sys/umask.h"

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::cli {

namespace {

/// Whether something is there that a file cannot take the place of: what is written goes into it.
/// Gives up where neither is meant.
bool takes_writes(const std::string& path) {
    struct stat status {};

    if (::stat(path.c_str(), &status) < 0 || S_ISREG(status.st_mode))
        return false;
    if (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))
        return true;
    give_up(path + " is " +
            (S_ISDIR(status.st_mode) ? "a directory" : "a block device or a socket") +
            ": name a file to write to");
}

/// What a link at `path` leads to, so that that takes the new content, and the link stays; also
/// where there is nothing yet.
std::string behind_links(const std::string& path) {
    constexpr int most = 40;  // as the kernel has it
    std::string place = path;
    for (int i = 0; i < most; ++i) {
        if (const auto real = sys::real_path(place))
            return *real;
        std::error_code is_none;
        const std::string target = std::filesystem::read_symlink(place, is_none);
        if (is_none)
            return place;
        place = target.starts_with('/') ? target : sys::parent_path(place) + "/" + target;
    }
    give_up(path + ": too many symbolic links");
}

}  // namespace

OutputFile::OutputFile(const std::string& path) {
    if (path.empty() || path == "-") {
        if (sys::is_terminal(1))
            give_up("an archive is nothing for a terminal: give -o FILE, or redirect it");
        file_ = sys::Fd(::fcntl(1, F_DUPFD_CLOEXEC, 3));
        return;
    }
    path_ = here(path);
    if (takes_writes(path_)) {
        file_ = sys::open_file(path_, O_WRONLY);
        return;
    }
    path_ = behind_links(path_);
    temporary_ = path_ + "." + random_hex(8);
    file_ = sys::open_file(temporary_, O_WRONLY | O_CREAT | O_EXCL, 0600);
}

OutputFile::~OutputFile() {
    if (!temporary_.empty())
        ::unlink(temporary_.c_str());
}

void OutputFile::finish() {
    if (temporary_.empty())
        return;
    sys::rename(temporary_, path_);
    temporary_.clear();
}

void write_output_file(const std::string& path, const std::string& bytes) {
    const std::string whole = here(path);
    const sys::CallersUmask callers;
    if (takes_writes(whole))
        sys::write_all(sys::open_file(whole, O_WRONLY), bytes);
    else
        sys::replace_file(behind_links(whole), bytes, 0644);
}

}  // namespace stack::cli
