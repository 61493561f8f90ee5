#include "sys/netlink_attributes.h"

#include <linux/netlink.h>

namespace stack::sys {
namespace {

constexpr std::size_t alignment = NLA_ALIGNTO;

}  // namespace

NetlinkAttributes& NetlinkAttributes::put(int type, std::string_view bytes) {
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + bytes.size()),
                        static_cast<std::uint16_t>(type)};
    bytes_.append(reinterpret_cast<const char*>(&header), sizeof header);
    bytes_.append(bytes);
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
    return *this;
}

NetlinkAttributes& NetlinkAttributes::put_text(int type, const std::string& text) {
    return put(type, {text.c_str(), text.size() + 1});
}

NetlinkAttributes& NetlinkAttributes::put_be32(int type, std::uint32_t value) {
    const std::uint32_t swapped = __builtin_bswap32(value);
    return put(type, {reinterpret_cast<const char*>(&swapped), sizeof swapped});
}

NetlinkAttributes& NetlinkAttributes::nest(int type, const NetlinkAttributes& inside) {
    return put(type | NLA_F_NESTED, inside.bytes());
}

NetlinkAttributes& NetlinkAttributes::append(const NetlinkAttributes& others) {
    bytes_ += others.bytes();
    return *this;
}

}  // namespace stack::sys
