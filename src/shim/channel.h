#pragma once

// Messages between the set-up stage and those who wait for it, with a descriptor where there is
// one.

#include <string>

namespace stack::shim {

/// Postcondition: whoever reads `channel` gets `text`, and with it another descriptor of `fd`.
void send_descriptor(int channel, const char* text, int fd);

/// The next message; its size as recvmsg(2) says it. `fd` is what came with it, or -1.
[[nodiscard]] long receive_message(int channel, std::string& text, int& fd);

}  // namespace stack::shim
