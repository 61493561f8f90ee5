#include "engine/build/room.h"

#include "sys/file.h"
#include "tests/build/workshop.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

class RealRoom : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(::geteuid(), 0U) << "these tests run as root";
        build(R"(
FROM busybox AS made
RUN --mount=type=cache,target=/cache echo 1 > /cache/file && echo made > /made
FROM busybox
COPY --from=made /made /taken
)");
    }

    void build(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        ASSERT_NE(result.image_id, "") << result.failure;
    }

    /// The layers that no image has.
    [[nodiscard]] Strings layers_of_cache() const {
        const image::Store store(shop.paths);
        const auto cost = cost_in(store);
        Strings layers;
        for (const auto& step : StepCache(shop.paths).steps())
            if (cost(step.layer) > 0)
                layers.push_back(step.layer);
        return layers;
    }

    /// Makes what builds keep look as if nobody had used it for 31 days.
    void age() const {
        const std::time_t then = std::time(nullptr) - longest_unused - 24 * 3600;
        const std::array<timespec, 2> times{timespec{then, 0}, timespec{then, 0}};
        for (const auto* directory : {"/build/cache", "/build/mounts"}) {
            const std::string place = shop.paths.state + directory;
            for (const auto& name : sys::list_directory(place))
                ASSERT_EQ(::utimensat(AT_FDCWD, (place + "/" + name).c_str(), times.data(), 0), 0);
        }
        sys::remove_file(shop.paths.state + "/build/cache.looked");
    }

    [[nodiscard]] bool has_cache_mount() const {
        const auto all = list_kept(shop.paths);
        return std::any_of(all.begin(), all.end(), [](const Kept& kept) {
            return kept.kind == Kept::Kind::cache_mount;
        });
    }

    BuildBed shop;
};

TEST_F(RealRoom, ABuildFreesWhatNobodyUsedForLong) {
    const Strings layers = layers_of_cache();
    ASSERT_EQ(layers.size(), 1U);
    age();
    build("FROM busybox\nLABEL a=b\n");
    EXPECT_FALSE(image::Store(shop.paths).has_layer(layers[0]));
    EXPECT_FALSE(has_cache_mount());
}

TEST_F(RealRoom, ABuildLooksOnceAnHour) {
    const Strings layers = layers_of_cache();
    ASSERT_EQ(layers.size(), 1U);
    age();
    sys::replace_file(shop.paths.state + "/build/cache.looked", "");
    build("FROM busybox\nLABEL a=b\n");
    EXPECT_TRUE(image::Store(shop.paths).has_layer(layers[0]));
    EXPECT_TRUE(has_cache_mount());
}

TEST_F(RealRoom, KeepsTheLayersOfImages) {
    const Strings of_image = shop.image().layers;
    ASSERT_EQ(layers_of_cache().size(), 1U);
    const auto room = make_room(shop.paths, {}, [] { return image::InUse(); });
    EXPECT_EQ(room.steps.size(), 1U);
    EXPECT_GT(room.freed, 0);
    EXPECT_TRUE(layers_of_cache().empty());
    for (const auto& layer : of_image)
        EXPECT_TRUE(image::Store(shop.paths).has_layer(layer)) << layer;
}

}  // namespace
}  // namespace stack::build
