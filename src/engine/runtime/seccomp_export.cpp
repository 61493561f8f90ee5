#include "engine/runtime/seccomp_export.h"

#include <stack/error.h>

#include "sys/file.h"

#include <seccomp.h>

namespace stack::runtime {

void check_filter(int result, const char* what) {
    if (result < 0)
        throw Error(std::error_code(-result, std::generic_category()),
                    std::string("the system call filter cannot be made: ") + what);
}

std::string exported_filter(void* filter) {
    const sys::Fd file = sys::memory_file("seccomp", "");
    check_filter(seccomp_export_bpf(filter, file.get()), "compile");
    sys::rewind(file);
    return sys::read_all(file);
}

}  // namespace stack::runtime
