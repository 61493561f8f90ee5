#include "engine/build/kept.h"

#include "sys/file.h"
#include "tests/build/workshop.h"

#include <algorithm>
#include <ctime>

#include <gtest/gtest.h>
#include <unistd.h>

namespace stack::build {
namespace {

class RealKept : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(::geteuid(), 0U) << "these tests run as root";
        shop.write("a", "1");
        ASSERT_NE(shop.build(R"(
FROM busybox
COPY a /a
RUN --mount=type=cache,target=/cache echo 12345678 > /cache/file
)")
                      .image_id,
                  "");
    }

    [[nodiscard]] Kept find(Kept::Kind kind) const {
        const auto all = list_kept(shop.paths);
        const auto found = std::find_if(
            all.begin(), all.end(), [&](const Kept& kept) { return kept.kind == kind; });
        return found == all.end() ? Kept() : *found;
    }

    BuildBed shop;
};

TEST_F(RealKept, CountsCacheMounts) {
    const Kept mount = find(Kept::Kind::cache_mount);
    EXPECT_EQ(mount.id, "/cache");
    EXPECT_GE(mount.bytes, 9);
    EXPECT_GE(mount.used, std::time(nullptr) - 60);
    EXPECT_EQ(forget(shop.paths, mount), mount.bytes);
    EXPECT_EQ(find(Kept::Kind::cache_mount).name, "");
    EXPECT_TRUE(sys::list_directory(shop.paths.state + "/build/new-mounts").empty());
    EXPECT_EQ(forget(shop.paths, mount), mount.bytes) << "somebody was faster";
}

TEST_F(RealKept, LeavesACacheMountToTheStepThatHasIt) {
    const Kept mount = find(Kept::Kind::cache_mount);
    const auto in_use = CacheMount::open(shop.paths, "/cache", CacheMount::Use::shared);
    EXPECT_EQ(forget(shop.paths, mount), 0);
    EXPECT_TRUE(sys::exists(in_use->directory() + "/file"));
    EXPECT_FALSE(CacheMount::open(shop.paths, "/cache", CacheMount::Use::alone_or_not));
}

TEST_F(RealKept, ACacheMountIsFilledOnce) {
    const auto cache = CacheMount::open(shop.paths, "new", CacheMount::Use::shared);
    const auto fill_with = [](const char* text) {
        return
            [text](const std::string& directory) { sys::replace_file(directory + "/file", text); };
    };
    cache->ensure(fill_with("first"));
    cache->ensure(fill_with("second"));
    EXPECT_EQ(sys::read_file(cache->directory() + "/file"), "first");
    EXPECT_TRUE(sys::list_directory(shop.paths.state + "/build/new-mounts").empty());
}

TEST_F(RealKept, ACacheMountIsFilledWhileAnotherOneIs) {
    const auto one = CacheMount::open(shop.paths, "one", CacheMount::Use::shared);
    const auto other = CacheMount::open(shop.paths, "other", CacheMount::Use::shared);
    one->ensure([&](const std::string&) { other->ensure([](const std::string&) {}); });
    EXPECT_TRUE(sys::is_directory(one->directory()));
    EXPECT_TRUE(sys::is_directory(other->directory()));
}

TEST_F(RealKept, CountsDigestsOfContexts) {
    shop.no_cache = true;
    ::sleep(2);  // a file that changed a moment ago is not remembered
    ASSERT_NE(shop.build("FROM busybox\nCOPY a /a\n").image_id, "");
    const Kept digests = find(Kept::Kind::context_digests);
    EXPECT_GT(digests.bytes, 64);
    EXPECT_EQ(forget(shop.paths, digests), digests.bytes);
    EXPECT_EQ(find(Kept::Kind::context_digests).name, "");
}

TEST_F(RealKept, KeepsTheDigestsOfStagesAtOnce) {
    const auto count = [this] {
        const auto all = list_kept(shop.paths);
        return std::count_if(all.begin(), all.end(), [](const Kept& kept) {
            return kept.kind == Kept::Kind::context_digests && kept.bytes > 64;
        });
    };
    const auto before = count();
    ASSERT_NE(shop.build("FROM busybox AS made\nRUN echo made > /made\n"
                         "FROM busybox\nCOPY --from=made /made /taken\n")
                  .image_id,
              "");
    EXPECT_EQ(count(), before + 1);
}

}  // namespace
}  // namespace stack::build
