#include "shim/fault.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

namespace stack::shim {
namespace {

int listener = -1;
FaultForm listener_form = FaultForm::record;
int stage = -1;

/// "<code> <sentence>" as the stage has told it; "" where it has told none.
std::string fault_of_stage() {
    std::array<char, 4096> text{};
    long count = 0;
    while ((count = ::recv(stage, text.data(), text.size(), MSG_DONTWAIT)) > 0)
        if (text[0] >= '0' && text[0] <= '9')  // not its terminal
            return {text.data(), static_cast<std::size_t>(count)};
    return {};
}

/// With names in it that an image chose: short enough for whatever takes it on, and without what
/// could drive a terminal.
std::string presentable(std::string text) {
    constexpr std::size_t most = 1000;
    if (text.size() > most)
        text.replace(most / 2, text.size() - most, " ... ");
    for (char& c : text)
        if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7F)
            c = ' ';
    return text;
}

}  // namespace

void heed_faults_of(int channel) {
    stage = channel;
}

void tell_faults_to(int fd, FaultForm form) {
    listener = fd;
    listener_form = form;
}

void give_up(int code, const std::string& sentence, int error) {
    std::string text = presentable(sentence);
    if (error != 0)
        text += std::string(": ") + ::strerror(error);
    if (const std::string cause = stage < 0 ? "" : fault_of_stage(); !cause.empty()) {
        code = std::atoi(cause.c_str());
        text = cause.substr(cause.find(' ') + 1);
    }
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
