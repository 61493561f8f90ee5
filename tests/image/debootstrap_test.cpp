// Names of images that are made from Debian's packages.

#include "engine/image/debootstrap.h"

#include "base/text.h"
#include "engine/image/reference.h"

#include <gtest/gtest.h>

namespace stack::image {
namespace {

std::string parsed(std::string_view text) {
    const auto made = parse_debootstrap(text);
    if (!made)
        return std::to_string(made.error().offset) + ": " + made.error().message;
    return made->suite + " " + made->variant + " [" + join(made->include, " ") + "] " +
           made->mirror;
}

}  // namespace

TEST(Debootstrap, HasASuitePackagesAVariantAndAMirror) {
    EXPECT_EQ(parsed("bookworm"), "bookworm minbase [] ");
    EXPECT_EQ(parsed("stable-backports,include=curl,g++,variant=apt,include=jq"),
              "stable-backports apt [curl g++ jq] ");
    EXPECT_EQ(parsed("sid,mirror=http://[::1]:3142/debian"),
              "sid minbase [] http://[::1]:3142/debian");
}

TEST(Debootstrap, SaysWhereItIsWrong) {
    const std::string suite = "0: a suite of Debian is expected, as in debootstrap:bookworm";
    EXPECT_EQ(parsed(""), suite);
    EXPECT_EQ(parsed("-x"), suite);
    EXPECT_EQ(parsed("a b"), suite);
    EXPECT_EQ(parsed("sid,include="), "4: \"\" is not the name of a package");
    EXPECT_EQ(parsed("sid,include=a,--b"), "14: \"--b\" is not the name of a package");
    EXPECT_EQ(parsed("sid,curl"), "4: expected include=PACKAGE, variant=NAME or mirror=URL");
    EXPECT_EQ(parsed("sid,variant=huge").substr(0, 25), "4: a variant is one of es");
    EXPECT_EQ(parsed("sid,mirror=-x"),
              "4: a mirror is an address, as in http://deb.debian.org/debian");
}

TEST(Debootstrap, IsTheNameOfAnImage) {
    const std::string name = "debootstrap:bookworm,include=curl,mirror=http://a/b";
    const auto reference = parse_reference(name);
    ASSERT_TRUE(reference);
    EXPECT_EQ(canonical(*reference), name);
    EXPECT_EQ(familiar(*reference), name);
    ASSERT_FALSE(parse_reference("debootstrap:sid,x=1"));
    EXPECT_EQ(parse_reference("debootstrap:sid,x=1").error().offset, 16U);
    EXPECT_EQ(canonical(parse_reference("debootstrap").value()),
              "docker.io/library/debootstrap:latest");
    EXPECT_EQ(familiar(parse_reference("debootstrap").value()),
              "docker.io/library/debootstrap:latest");
}

}  // namespace stack::image
