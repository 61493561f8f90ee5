// Cache mounts, and builds that meet.

#include "engine/build/build.h"
#include "engine/build/kept.h"
#include "tests/build/workshop.h"

#include <chrono>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

namespace stack::build {
namespace {

using namespace std::chrono_literals;

class RealCacheMount : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "these tests run as root"; }

    void build(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        ASSERT_NE(result.image_id, "") << result.failure << shop.output();
    }

    BuildBed shop;
};

TEST_F(RealCacheMount, BeginsWithWhatItsSourceHasAndTheOwnerThatItsMakerSays) {
    build(R"(
FROM busybox AS seed
RUN mkdir -p /s/d && echo seed > /s/d/f
FROM busybox
RUN --mount=type=cache,id=seeded,from=seed,source=/s/d,target=/c,uid=5,gid=6,mode=0700 \
    cat /c/f > /one && stat -c '%a %u:%g' /c > /two && echo more >> /c/f
RUN --mount=type=cache,id=seeded,target=/c,uid=9,mode=0755 cat /c/f > /three && stat -c '%a %u:%g' /c > /four
)");
    EXPECT_EQ(shop.read("one"), "seed\n");
    EXPECT_EQ(shop.read("two"), "700 5:6\n");
    EXPECT_EQ(shop.read("three"), "seed\nmore\n");
    EXPECT_EQ(shop.read("four"), "700 5:6\n");
}

TEST_F(RealCacheMount, IsKnownByItsIdAndByItsTargetWithoutOne) {
    build(R"(
FROM busybox
WORKDIR /w
RUN --mount=type=cache,target=c echo target > c/f
RUN --mount=type=cache,target=/w/c cat c/f > /same
RUN --mount=type=cache,id=/w/c,target=/elsewhere cat /elsewhere/f > /by-id
RUN --mount=type=cache,id=other,target=/w/c ls c > /other
)");
    EXPECT_EQ(shop.read("same"), "target\n");
    EXPECT_EQ(shop.read("by-id"), "target\n");
    EXPECT_EQ(shop.read("other"), "");
}

TEST_F(RealCacheMount, IsLockedOnceByAStepThatMountsItTwice) {
    build(R"(
FROM busybox
RUN --mount=type=cache,id=x,sharing=locked,target=/a --mount=type=cache,id=x,target=/b \
    --mount=type=cache,id=x,sharing=locked,target=/c echo 1 > /a/f && cat /b/f /c/f > /seen
)");
    EXPECT_EQ(shop.read("seen"), "1\n1\n");
}

/// Whether somebody has it, ten seconds from now at the latest.
bool is_taken(const Paths& paths, const std::string& id) {
    for (int i = 0; i < 100; ++i) {
        if (!CacheMount::open(paths, id, CacheMount::Use::alone_or_not))
            return true;
        std::this_thread::sleep_for(100ms);
    }
    return false;
}

TEST_F(RealCacheMount, IsLockedInTheSameOrderByAllSteps) {
    auto second = CacheMount::open(shop.paths, "second", CacheMount::Use::alone);
    auto built = std::async(std::launch::async, [this] {
        return shop.build(R"(
FROM busybox
RUN --mount=type=cache,id=second,sharing=locked,target=/b \
    --mount=type=cache,id=first,sharing=locked,target=/a true
)");
    });
    EXPECT_TRUE(is_taken(shop.paths, "first")) << "it waits for `second` without `first`";
    second.reset();
    EXPECT_NE(built.get().image_id, "");
}

TEST_F(RealCacheMount, TwoBuildsAtOnceRunAStepOnce) {
    shop.write("Dockerfile", "FROM busybox\nRUN head -c 16 /dev/urandom > /random; sleep 1\n");
    const auto build_as = [this](const std::string& tag) {
        BuildRequest request;
        request.name = request.tag = tag;
        request.build = shop.options;
        return build_image(shop.paths, request, [](const Event&) {});
    };
    auto one = std::async(std::launch::async, build_as, "one");
    auto two = std::async(std::launch::async, build_as, "two");
    EXPECT_NE(one.get().image_id, "");
    EXPECT_NE(two.get().image_id, "");
    EXPECT_EQ(shop.image("one").layers, shop.image("two").layers);
}

TEST_F(RealCacheMount, OfWhichTheSourceIsNowhereIsRefused) {
    const auto result =
        shop.build("FROM busybox\nRUN --mount=type=cache,source=/s,target=/t true\n");
    ASSERT_EQ(result.diagnostics.size(), 1U);
    EXPECT_EQ(result.diagnostics[0].message,
              "`source` of a cache mount is a place in what `from` names");
    EXPECT_EQ(result.diagnostics[0].location.line, 2);
}

}  // namespace
}  // namespace stack::build
