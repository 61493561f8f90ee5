#include "cli/output_file.h"

#include "base/random.h"
#include "cli/context.h"
#include "sys/file.h"
#include "sys/terminal.h"

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

}  // namespace

OutputFile::OutputFile(const std::string& path)
    : path_(sys::absolute_path(path, sys::current_directory())) {
    if (path.empty() || path == "-") {
        if (sys::is_terminal(1))
            give_up("an archive is nothing for a terminal: give -o FILE, or redirect it");
        path_.clear();
        file_ = sys::Fd(::fcntl(1, F_DUPFD_CLOEXEC, 3));
        return;
    }
    if (takes_writes(path_)) {
        file_ = sys::open_file(path_, O_WRONLY);
        return;
    }
    if (const auto real = sys::real_path(path_))
        path_ = *real;  // what a link leads to takes the new content, and the link stays
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

}  // namespace stack::cli
