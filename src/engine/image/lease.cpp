#include "engine/image/lease.h"

#include "base/failpoint.h"
#include "base/random.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <fcntl.h>
#include <sys/file.h>

namespace stack::image {
namespace {

std::string directory_of(const std::string& root) {
    return root + "/leases";
}

}  // namespace

std::string lock_path(const std::string& root) {
    return root + "/lock";
}

Lease::~Lease() {
    try {
        if (file_)
            sys::remove_file(path_);
    } catch (const std::exception&) {
        // The next collector sees that nobody holds it.
    }
}

void Lease::open() {
    constexpr std::size_t digits = 32;
    sys::ensure_directory(directory_of(root_), 0700);
    path_ = directory_of(root_) + "/" + random_hex(digits);
    sys::Fd file = sys::open_file(path_, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
    sys::check(::flock(file.get(), LOCK_EX), "lock " + path_);
    file_ = std::move(file);
}

void Lease::keep(const std::set<std::string>& diff_ids) {
    const std::lock_guard guard(mutex_);
    std::string lines;
    for (const auto& diff_id : diff_ids)
        if (kept_.insert(diff_id).second)
            lines += diff_id + "\n";
    if (lines.empty())
        return;
    sys::ensure_directory(root_, 0700);
    // While a collector works, its decision is made: wait, so that whoever looks next sees it done.
    const sys::Lock lock = sys::Lock::acquire_shared(lock_path(root_));
    if (!file_)
        open();
    STACK_FAILPOINT("image.lease");
    sys::write_all(file_, lines);
}

std::set<std::string> Lease::kept(const std::string& root) {
    std::set<std::string> all;
    for (const auto& name : sys::list_directory(directory_of(root))) {
        const std::string path = directory_of(root) + "/" + name;
        const sys::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file)
            continue;  // its owner has just ended
        if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
            sys::remove_file(path);
            continue;
        }
        for (auto& line : split(sys::read_all(file), '\n'))
            all.insert(std::move(line));
    }
    return all;
}

}  // namespace stack::image
