// What a step sees by RUN --mount: binds and secrets (cache mounts: cache_mount_test.cpp).

#include "sys/file.h"
#include "tests/build/workshop.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

class RealStepMount : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "these tests run as root"; }

    void build(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        ASSERT_NE(result.image_id, "") << result.failure << shop.output();
    }

    BuildBed shop;
};

constexpr const char* made = R"(
FROM busybox AS made
RUN mkdir -p /d/sub && echo made > /d/f && echo below > /d/sub/g && ln -s d /link
FROM busybox
)";

TEST_F(RealStepMount, ABindOfAStageIsTheStageItself) {
    build(
        std::string(made) +
        R"(RUN --mount=from=made,source=/d,target=/in cat /in/f /in/sub/g > /seen && grep ' /in ' /proc/mounts > /how
RUN --mount=from=made,target=/all cat /all/d/f > /whole
RUN --mount=from=made,source=link,target=/in cat /in/f > /through-link
RUN --mount=from=made,source=/d/f,target=/one cat /one > /file
RUN --mount=from=made,source=/d,target=/in ! touch /in/x
)");
    EXPECT_EQ(shop.read("seen"), "made\nbelow\n");
    EXPECT_NE(shop.read("how").value_or("").find(" /in overlay ro"), std::string::npos)
        << shop.read("how").value_or("") << ": a copy would be on the disk's file system";
    EXPECT_EQ(shop.read("whole"), "made\n");
    EXPECT_EQ(shop.read("through-link"), "made\n");
    EXPECT_EQ(shop.read("file"), "made\n");
    EXPECT_EQ(shop.attributes("in"), "");
}

TEST_F(RealStepMount, WhatIsWrittenToABindGoesWithTheStep) {
    build(
        std::string(made) +
        R"(RUN --mount=from=made,source=/d,target=/in,rw echo more >> /in/f && rm -r /in/sub && cat /in/f > /changed
RUN --mount=from=made,source=/d/f,target=/one,rw echo more >> /one && cat /one > /changed-file
RUN --mount=from=made,target=/all,rw echo more > /all/new && cat /all/new > /changed-root
RUN --mount=from=made,target=/all cat /all/d/f /all/d/sub/g > /same && ls /all/new 2> /dev/null || echo none > /new
)");
    EXPECT_EQ(shop.read("changed"), "made\nmore\n");
    EXPECT_EQ(shop.read("changed-file"), "made\nmore\n");
    EXPECT_EQ(shop.read("changed-root"), "more\n");
    EXPECT_EQ(shop.read("same"), "made\nbelow\n");
    EXPECT_EQ(shop.read("new"), "none\n");
}

TEST_F(RealStepMount, ABindOfAStageHasTheModeOfItsRootAlsoToWriteTo) {
    const std::string root =
        image::Store(shop.paths).layer_directory(shop.image("busybox").layers.front());
    ASSERT_EQ(::chown(root.c_str(), 5, 6), 0);
    ASSERT_EQ(::chmod(root.c_str(), 01777), 0);
    build(R"(
FROM busybox AS open
FROM busybox
RUN --mount=type=bind,from=open,target=/t stat -c '%a %u:%g' /t > /read
RUN --mount=type=bind,from=open,target=/t,rw stat -c '%a %u:%g' /t > /write
)");
    EXPECT_EQ(shop.read("read"), "1777 5:6\n");
    EXPECT_EQ(shop.read("write"), "1777 5:6\n");
}

TEST_F(RealStepMount, ABindWithinABindIsOnTopOfIt) {
    shop.write("inner", "inner");
    build(std::string(made) +
          "RUN --mount=from=made,source=/d,target=/in,rw --mount=source=inner,target=/in/sub/g "
          "cat /in/f /in/sub/g > /seen\n");
    EXPECT_EQ(shop.read("seen"), "made\ninner");
}

TEST_F(RealStepMount, AStepThatTheCacheHasNeedsNoSecret) {
    const std::string file = shop.root() + "/token";
    const std::string dockerfile =
        "FROM busybox\n"
        "RUN --mount=type=secret,id=token cat /run/secrets/token > /length 2> /dev/null || true\n";
    sys::replace_file(file, "canary");
    shop.options.secrets = {{file, "token", std::nullopt}};
    build(dockerfile);
    sys::remove_file(file);
    build(dockerfile);
    EXPECT_EQ(shop.steps().back().substr(0, 6), "CACHED") << "its file is gone";
    shop.options.secrets = {};
    build(dockerfile);
    EXPECT_EQ(shop.steps().back().substr(0, 6), "CACHED") << "nobody gives it";
    shop.options.secrets = {{file, "token", std::nullopt}};
    shop.no_cache = true;
    const auto result = shop.build(dockerfile);
    ASSERT_EQ(result.diagnostics.size(), 1U);
    EXPECT_EQ(result.diagnostics[0].location.line, 2);
    EXPECT_NE(result.diagnostics[0].message.find("of the build secret token does not exist"),
              std::string::npos)
        << result.diagnostics[0].message;
}

TEST_F(RealStepMount, ARequiredSecretIsAskedForAlsoOfTheCache) {
    const std::string dockerfile = "FROM busybox\nRUN --mount=type=secret,id=token,required true\n";
    shop.options.secrets = {{"TOKEN", "token", "canary"}};
    build(dockerfile);
    shop.options.secrets = {};
    EXPECT_EQ(shop.build(dockerfile).image_id, "");
}

TEST_F(RealStepMount, ASecretCanBeAVariableAFileOrBoth) {
    shop.options.secrets = {{"TOKEN", "token", "canary"}};
    build(R"(
FROM busybox
RUN --mount=type=secret,id=token,env=T [ "$T" = canary ] && ls /run/secrets 2> /dev/null || echo none > /variable
RUN --mount=type=secret,id=token,env=T,target=/t [ $T = $(cat /t) ] && echo same > /both
)");
    EXPECT_EQ(shop.read("variable"), "none\n");
    EXPECT_EQ(shop.read("both"), "same\n");
}

}  // namespace
}  // namespace stack::build
