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

/// Puts the bytes of a frame there, whatever they are.
void send_frame(const Namespace& from, const std::string& interface, const std::string& frame);

/// Who says to whom that an address is at a hardware address.
struct Claim {
    std::string source_mac;  // of the frame
    std::string target_mac;
    std::string address;
    std::string mac;
};

/// An answer of ARP, or of neighbour discovery (with `source` for its sender), as a frame. `tags`:
/// of VLAN 0, in front of it.
[[nodiscard]] std::string arp_answer(const Claim& claim, int tags = 0);
[[nodiscard]] std::string neighbour_answer(const Claim& claim, const std::string& source);
/// Of ICMPv6, for which `type` and what follows the checksum are given.
[[nodiscard]] std::string icmp6_frame(const RawDatagram& ends, char type, const std::string& rest);

/// What comes to an interface of a namespace from now on.
class Wiretap {
  public:
    Wiretap(const Namespace& where, const std::string& interface);

    /// Whether a frame with these bytes in it comes within a moment.
    [[nodiscard]] bool hears(const std::string& bytes);

  private:
    sys::Fd socket_;
};

/// The hardware address of an interface of the namespace.
[[nodiscard]] std::string hardware_address(const Namespace& where, const std::string& interface);

}  // namespace stack::test
