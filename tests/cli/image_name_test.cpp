// What lists call the images that containers were made of.

#include "cli/image_name.h"

#include "cli/container_filter.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

ObservedContainer made_of(const std::string& image, const std::string& id) {
    ObservedContainer container;
    container.image = image;
    container.image_id = id;
    return container;
}

TEST(ImageName, OneThatAnotherImageHasNowIsNoneOfIts) {
    const std::string older = "sha256:" + std::string(64, 'a');
    const std::string newer = "sha256:" + std::string(64, 'b');
    std::vector<ObservedContainer> containers{made_of("app", newer),
                                              made_of("app", older),
                                              made_of("gone:1", older),
                                              made_of("rootfs:/srv/root", "rootfs:/srv/root")};
    int asked = 0;
    forget_lost_names(containers, [&](const std::string& reference) -> std::optional<std::string> {
        ++asked;
        return reference == "app" ? std::optional(newer) : std::nullopt;
    });
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(containers[0].image, "app");
    EXPECT_EQ(containers[1].image, "aaaaaaaaaaaa");
    EXPECT_EQ(containers[2].image, "aaaaaaaaaaaa");
    EXPECT_EQ(containers[3].image, "rootfs:/srv/root");
    const ContainerFilter app({"ancestor=app"}, containers);
    EXPECT_TRUE(app.matches(containers[0]));
    EXPECT_FALSE(app.matches(containers[1]));
    EXPECT_TRUE(ContainerFilter({"ancestor=aaaaaaa"}, containers).matches(containers[1]));
}

}  // namespace
}  // namespace stack::cli
