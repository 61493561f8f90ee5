#include "engine/build/shared_cache.h"

#include "engine/image/fetch.h"
#include "sys/file.h"
#include "sys/tree.h"
#include "tests/build/workshop.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

TEST(CachePlace, IsReadAsComposeWritesIt) {
    using Kind = CachePlace::Kind;
    EXPECT_EQ(parse_cache_place("shop/app:cache").value(),
              (CachePlace{Kind::registry, "shop/app:cache", false}));
    EXPECT_EQ(parse_cache_place("type=registry,ref=a:b,mode=max").value(),
              (CachePlace{Kind::registry, "a:b", true}));
    EXPECT_EQ(parse_cache_place("type=local,src=/c").value(),
              (CachePlace{Kind::local, "/c", false}));
    EXPECT_EQ(parse_cache_place("type=local,dest=/c,mode=min").value(),
              (CachePlace{Kind::local, "/c", false}));
    EXPECT_EQ(parse_cache_place("type=inline").value(), (CachePlace{Kind::in_image, "", false}));
    EXPECT_EQ(parse_cache_place("type=gha").error().message,
              "a cache of the type `gha` is not known: registry, local and inline are");
    EXPECT_EQ(parse_cache_place("type=local").error().message,
              "the cache `type=local` has no place: src= or dest= names it");
}

TEST(StepLayers, TravelInAConfiguration) {
    const std::string key(64, 'a');
    const std::string layer = "sha256:" + std::string(64, 'b');
    const std::string json = with_steps(R"({"os":"linux"})", {{key, layer}});
    EXPECT_EQ(steps_in(json), (StepLayers{{key, layer}}));
    EXPECT_EQ(with_steps(json, {}), R"({"os":"linux"})");
    EXPECT_EQ(steps_in(R"({"stack.build.cache.v0":{"../x":"","b":"sha256:../y"}})"), StepLayers());
    EXPECT_EQ(steps_in("no json"), StepLayers());
}

constexpr const char* two_stages = R"(
FROM busybox AS made
RUN echo made > /made
FROM busybox
COPY a /a
RUN cat /a > /b
COPY --from=made /made /taken
)";

class RealSharedCache : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(::geteuid(), 0U) << "these tests run as root";
        sys::ensure_directory(base);
        auto save = image::start_save(shop.paths, {"busybox"}, sys::open_directory(base));
        static_cast<void>(image::finish(save, [](const Event&) {}));
    }

    /// How many steps a machine that has nothing but the base does not run.
    [[nodiscard]] std::size_t cached_steps(const Strings& cache_from) const {
        BuildBed other;
        return cached_steps(other, cache_from);
    }

    [[nodiscard]] std::size_t cached_steps(BuildBed& other, const Strings& cache_from) const {
        other.options.additional_contexts["busybox"] = "oci-layout://" + base;
        other.write("a", "1");
        other.options.cache_from = cache_from;
        EXPECT_NE(other.build(two_stages).image_id, "");
        std::size_t count = 0;
        for (const auto& step : other.steps())
            count += step.starts_with("CACHED") ? 1U : 0U;
        return count;
    }

    BuildBed shop;
    const std::string base = shop.root() + "/base";
};

TEST_F(RealSharedCache, GoesToAnotherMachineInADirectory) {
    shop.write("a", "1");
    shop.options.cache_to = {"type=local,mode=max,dest=" + shop.root() + "/all",
                             "type=local,dest=" + shop.root() + "/few"};
    ASSERT_NE(shop.build(two_stages).image_id, "");
    ASSERT_NE(shop.build(two_stages).image_id, "") << "into what is there already";
    EXPECT_EQ(cached_steps({}), 0U);
    EXPECT_EQ(cached_steps({"type=local,src=" + shop.root() + "/all"}), 4U);
    EXPECT_EQ(cached_steps({"type=local,src=" + shop.root() + "/few"}), 3U);
}

TEST_F(RealSharedCache, IsBelievedByTheBuildsThatNameIt) {
    shop.write("a", "1");
    const std::string place = shop.root() + "/all";
    shop.options.cache_to = {"type=local,mode=max,dest=" + place};
    ASSERT_NE(shop.build(two_stages).image_id, "");
    BuildBed other;
    EXPECT_EQ(cached_steps(other, {"type=local,src=" + place}), 4U);
    EXPECT_EQ(cached_steps(other, {}), 0U);
    EXPECT_EQ(cached_steps(other, {}), 4U) << "what was run here is known here";
}

TEST_F(RealSharedCache, GivesLayersThatLookAsWhatTheyLieOn) {
    const auto close_root = [](const BuildBed& bed) {
        const image::Store store(bed.paths);
        const std::string layer = store.find("busybox")->layers.front();
        ASSERT_EQ(::chmod(store.layer_directory(layer).c_str(), 0711), 0);
    };
    const std::string place = shop.root() + "/all";
    const std::string first = "FROM busybox\nRUN echo 1 > /a\n";
    close_root(shop);
    shop.options.cache_to = {"type=local,mode=max,dest=" + place};
    ASSERT_NE(shop.build(first).image_id, "");
    BuildBed other;
    close_root(other);
    other.options.cache_from = {"type=local,src=" + place};
    ASSERT_NE(other.build(first + "RUN stat -c %a / > /mode\n").image_id, "");
    EXPECT_EQ(other.steps().at(1), "CACHED RUN echo 1 > /a");
    EXPECT_EQ(other.read("mode"), "711\n");
}

TEST_F(RealSharedCache, OneThatCannotBeHadIsDoneWithout) {
    EXPECT_EQ(cached_steps({"type=local,src=" + shop.root() + "/none", "type=gha"}), 0U);
}

TEST_F(RealSharedCache, GoesWithTheImageAndNotToItsChildren) {
    shop.write("a", "1");
    shop.options.cache_to = {"type=inline"};
    ASSERT_NE(shop.build(two_stages).image_id, "");
    EXPECT_EQ(steps_in(shop.image().config_json).size(), 3U);
    shop.options.cache_to = {};
    shop.options.tags = {"child"};
    ASSERT_NE(shop.build("FROM app\nLABEL a=b\n").image_id, "");
    EXPECT_EQ(steps_in(shop.image("child").config_json), StepLayers());
}

}  // namespace
}  // namespace stack::build
