#include "shim/channel.h"

#include "shim/fault.h"

#include <array>
#include <cstring>

#include <sys/socket.h>

namespace stack::shim {

void send_descriptor(int channel, const char* text, int fd) {
    iovec data{const_cast<char*>(text), std::strlen(text)};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    must(::sendmsg(channel, &message, MSG_NOSIGNAL), "hand over a descriptor");
}

long receive_message(int channel, std::string& text, int& fd) {
    std::array<char, 4096> bytes{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec data{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto count = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    text.assign(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    fd = -1;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (count > 0 && header != nullptr && header->cmsg_type == SCM_RIGHTS)
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return count;
}

}  // namespace stack::shim
