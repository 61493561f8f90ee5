#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stack::sys {

/// Netlink attributes as they travel (netlink(7), nlattr), composed before their message is.
class NetlinkAttributes {
  public:
    NetlinkAttributes& put(int type, std::string_view bytes);
    NetlinkAttributes& put_text(int type, const std::string& text);  // with its terminating zero
    NetlinkAttributes& put_be32(int type, std::uint32_t value);
    NetlinkAttributes& nest(int type, const NetlinkAttributes& inside);
    /// All of the others, behind these.
    NetlinkAttributes& append(const NetlinkAttributes& others);

    [[nodiscard]] const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

}  // namespace stack::sys
