#pragma once

// Datagrams as no honest sender would send them: every field of the frame is the test's to choose.

#include "tests/network/bed.h"

#include <cstdint>
#include <string>

namespace stack::test {

struct RawDatagram {
    std::string source_mac;  // 02:42:0a:05:00:02
    std::string target_mac;
    std::string source;  // both of one family
    std::string target;
    std::uint16_t target_port = 0;
    std::string text;
};

/// Puts it onto the wire behind an interface of the namespace.
void send_raw(const Namespace& from, const std::string& interface, const RawDatagram& datagram);

/// The hardware address of an interface of the namespace.
[[nodiscard]] std::string hardware_address(const Namespace& where, const std::string& interface);

}  // namespace stack::test
