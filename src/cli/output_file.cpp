#include "cli/output_file.h"

#include "base/random.h"
#include "cli/context.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <fcntl.h>
#include <unistd.h>

namespace stack::cli {

OutputFile::OutputFile(const std::string& path)
    : path_(sys::absolute_path(path, sys::current_directory())) {
    if (path.empty() || path == "-") {
        if (sys::is_terminal(1))
            give_up("an archive is nothing for a terminal: give -o FILE, or redirect it");
        path_.clear();
        file_ = sys::Fd(::fcntl(1, F_DUPFD_CLOEXEC, 3));
        return;
    }
    temporary_ = path_ + "." + random_hex(8);
    file_ = sys::open_file(temporary_, O_WRONLY | O_CREAT | O_EXCL, 0644);
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
