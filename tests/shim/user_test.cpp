#include "shim/user.h"

#include <gtest/gtest.h>

namespace stack::shim {
namespace {

constexpr const char* passwd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "web:x:500:600::/srv:/bin/sh\n"
    "1000:x:0:0:a trap::/bin/sh\n"
    "broken:x:zero:0::/:/bin/sh\n"
    "wrapped:x:4294967295:0::/:/bin/sh\n"
    "short:x:1\n";
constexpr const char* group =
    "root:x:0:\n"
    "staff:x:601:root,web\n"
    "42:x:0:\n";

/// uid:gid[groups]home, or the problem.
std::string who(const std::string& user, const std::vector<std::string>& more = {}) {
    Identity identity;
    std::string problem;
    if (!resolve(user, more, passwd, group, identity, problem))
        return problem;
    std::string groups;
    for (const auto gid : identity.groups)
        groups += (groups.empty() ? "" : " ") + std::to_string(gid);
    return std::to_string(identity.uid) + ":" + std::to_string(identity.gid) + "[" + groups + "]" +
           identity.home;
}

TEST(User, IsANameANumberOrRoot) {
    EXPECT_EQ(who(""), "0:0[0 601]/root");
    EXPECT_EQ(who("web"), "500:600[600 601]/srv");
    EXPECT_EQ(who("500"), "500:600[600 601]/srv");
    EXPECT_EQ(who("77"), "77:0[0]/");
}

TEST(User, TakesAGroup) {
    EXPECT_EQ(who("web:staff"), "500:601[601]/srv");
    EXPECT_EQ(who("77:88"), "77:88[88]/");
    EXPECT_EQ(who(":staff"), "0:601[601]/root");
    EXPECT_EQ(who("web", {"staff", "9"}), "500:600[600 601 9]/srv");
}

TEST(User, OfDigitsIsAlwaysANumber) {
    EXPECT_EQ(who("1000"), "1000:0[0]/");
    EXPECT_EQ(who("77:42"), "77:42[42]/");
}

TEST(User, ThatIsNotThereIsNamed) {
    EXPECT_EQ(who("nobody"), "user nobody is not in the container's /etc/passwd");
    EXPECT_EQ(who("web:nogroup"), "group nogroup is not in the container's /etc/group");
    EXPECT_EQ(who("web", {"nogroup"}), "group nogroup is not in the container's /etc/group");
}

TEST(User, IsNeverRootByMistake) {
    for (const auto* user : {"4294967295",
                             "4294967296",
                             "2147483648",
                             "99999999999999999999",
                             "-1",
                             "0x0",
                             " 0",
                             "1e3",
                             "broken",
                             "wrapped",
                             "short"})
        EXPECT_NE(who(user).find("is not in"), std::string::npos) << user << " is " << who(user);
    EXPECT_NE(who("77:4294967295").find("is not in"), std::string::npos);
}

}  // namespace
}  // namespace stack::shim
