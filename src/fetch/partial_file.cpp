#include "fetch/partial_file.h"

#include "base/failpoint.h"
#include "sys/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

/// Whether the file still has the name by which it was opened.
bool is_at(const sys::Fd& file, const std::string& path) {
    struct stat opened {};

    struct stat named {};

    return ::fstat(file.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
           opened.st_ino == named.st_ino;
}

}  // namespace

PartialFile::PartialFile(std::string path) : path_(std::move(path)) {
    do {
        file_ = sys::open_file(path_, O_RDWR | O_CREAT | O_APPEND, 0600);
        sys::check(::flock(file_.get(), LOCK_EX), "lock " + path_);
    } while (!is_at(file_, path_));  // its last owner has moved or removed it
}

void PartialFile::read(const std::function<void(std::string_view)>& each) const {
    sys::rewind(file_);
    sys::read_each(file_, each);
}

void PartialFile::append(std::string_view bytes) const {
    STACK_FAILPOINT("blob.write");
    sys::write_all(file_, bytes);
}

void PartialFile::restart() const {
    sys::check(::ftruncate(file_.get(), 0), "empty " + path_);
}

void PartialFile::discard() const {
    sys::remove_file(path_);
}

}  // namespace stack::fetch
