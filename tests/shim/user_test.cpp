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
    ":x:0:\n"
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
    EXPECT_EQ(who("1:1"), "1:1[1]/");
    EXPECT_EQ(who(":1"), "0:1[1]/root");
    EXPECT_EQ(who("web", {"staff", "9"}), "500:600[600 601 9]/srv");
}

TEST(User, WithNothingBehindTheColonHasItsOwnGroups) {
    EXPECT_EQ(who("web:"), who("web"));
    EXPECT_EQ(who("1:"), "1:0[0]/");
    EXPECT_EQ(who(":"), who(""));
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
                             "00",
                             "01",
                             " 0",
                             "1e3",
                             "broken",
                             "wrapped",
                             "short"})
        EXPECT_NE(who(user).find("is not in"), std::string::npos) << user << " is " << who(user);
    for (const auto* user : {"77:4294967295", "77:00", "a:b", "77:a", "77:1:2"})
        EXPECT_NE(who(user).find("is not in"), std::string::npos) << user;
}

}  // namespace
}  // namespace stack::shim
