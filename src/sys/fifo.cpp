#include "sys/fifo.h"

#include <sys/stat.h>

namespace stack::sys {

bool is_fifo(const std::string& path) {
    struct stat status {};

    return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace stack::sys
