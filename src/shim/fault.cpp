#include "shim/fault.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

namespace stack::shim {
namespace {

int listener = -1;
FaultForm listener_form = FaultForm::record;

}  // namespace

void tell_faults_to(int fd, FaultForm form) {
    listener = fd;
    listener_form = form;
}

void give_up(int code, const std::string& sentence, int error) {
    std::string text = sentence;
    if (error != 0)
        text += std::string(": ") + ::strerror(error);
    text = listener_form == FaultForm::line ? "stack: " + text + "\n"
                                            : std::to_string(code) + " " + text;
    if (listener >= 0) {
        [[maybe_unused]] const auto ignored = ::write(listener, text.data(), text.size());
    }
    ::_exit(code);
}

long must(long result, const char* step) {
    if (result < 0)
        give_up(engine_failed, step, errno);
    return result;
}

long must(long result, const std::string& step) {
    return must(result, step.c_str());
}

}  // namespace stack::shim
