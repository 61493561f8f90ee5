#include "engine/storage/volumes.h"

#include <stack/error.h>

#include "sys/file.h"
#include "sys/tree.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace stack::storage {
namespace {

class VolumesTest : public testing::Test {
  protected:
    VolumesTest() {
        char name[] = "/tmp/stack-volumes-test-XXXXXX";
        paths_ = paths_for(::mkdtemp(name));
    }

    ~VolumesTest() override { sys::remove_tree(paths_.state); }

    std::string image_directory() {
        const std::string directory = paths_.state + "/image";
        sys::ensure_directory(directory, 0750);
        sys::replace_file(directory + "/seed", "from the image");
        return directory;
    }

    Paths paths_;
};

TEST_F(VolumesTest, AnExistingVolumeStaysAsItIs) {
    ensure_volume(paths_, {.name = "shop_data", .project = "shop", .key = "data"});
    sys::replace_file(volume_directory(paths_, "shop_data") + "/row", "1");
    ensure_volume(paths_, {.name = "shop_data", .project = "other"});
    EXPECT_EQ(find_volume(paths_, "shop_data")->project, "shop");
    EXPECT_EQ(sys::read_file(volume_directory(paths_, "shop_data") + "/row"), "1");
}

TEST_F(VolumesTest, TheFirstUseCopiesTheImagesContentOnce) {
    ensure_volume(paths_, {.name = "data"});
    populate_volume(paths_, "data", sys::open_directory(image_directory()));
    EXPECT_EQ(sys::read_file(volume_directory(paths_, "data") + "/seed"), "from the image");
    sys::replace_file(volume_directory(paths_, "data") + "/seed", "changed");
    populate_volume(paths_, "data", sys::open_directory(image_directory()));
    EXPECT_EQ(sys::read_file(volume_directory(paths_, "data") + "/seed"), "changed");
}

TEST_F(VolumesTest, AVolumeWithDataIsNeverCopiedOver) {
    ensure_volume(paths_, {.name = "data"});
    sys::replace_file(volume_directory(paths_, "data") + "/row", "1");
    populate_volume(paths_, "data", sys::open_directory(image_directory()));
    EXPECT_EQ(sys::list_directory(volume_directory(paths_, "data")),
              std::vector<std::string>{"row"});
}

TEST_F(VolumesTest, AnInterruptedCopyIsBegunAgain) {
    ensure_volume(paths_, {.name = "data"});
    const std::string half = sys::parent_path(volume_directory(paths_, "data")) + "/_copy";
    sys::ensure_directory(half);
    sys::replace_file(half + "/half", "");
    populate_volume(paths_, "data", sys::open_directory(image_directory()));
    EXPECT_EQ(sys::list_directory(volume_directory(paths_, "data")),
              std::vector<std::string>{"seed"});
    EXPECT_FALSE(sys::exists(half));
}

TEST_F(VolumesTest, ARecordThatIsDamagedCostsTheLabelsOnly) {
    ensure_volume(paths_, {.name = "data", .project = "shop"});
    const std::string data = volume_directory(paths_, "data");
    sys::replace_file(data + "/row", "1");
    sys::replace_file(sys::parent_path(data) + "/volume.json", "{\"project\": ");
    EXPECT_EQ(find_volume(paths_, "data")->project, "");
    ensure_volume(paths_, {.name = "data"});
    EXPECT_EQ(sys::read_file(data + "/row"), "1");
}

TEST_F(VolumesTest, RemovalLeavesNothingAndMayBeRepeated) {
    ensure_volume(paths_, {.name = "data"});
    remove_volume(paths_, "data");
    remove_volume(paths_, "data");
    EXPECT_TRUE(list_volumes(paths_).empty());
    EXPECT_THROW((void)volume_directory(paths_, "data"), Error);
}

TEST_F(VolumesTest, WhatIsRemovedGoesBeforeItsDataIsDeleted) {
    ensure_volume(paths_, {.name = "data"});
    sys::replace_file(volume_directory(paths_, "data") + "/row", "1");
    auto trash = remove_volume(paths_, "data");
    ASSERT_TRUE(trash);
    EXPECT_TRUE(list_volumes(paths_).empty());
    ensure_volume(paths_, {.name = "data"});
    EXPECT_TRUE(sys::list_directory(volume_directory(paths_, "data")).empty());
    const std::string rest = trash->path();
    EXPECT_EQ(sys::read_file(rest + "/data/_data/row"), "1");
    trash.reset();
    EXPECT_FALSE(sys::exists(rest));
}

TEST_F(VolumesTest, ANameCannotLeadOutOfTheDirectory) {
    for (const auto* name : {"", "..", "../x", "a/b", ".hidden", "-x", "a b"})
        EXPECT_THROW(ensure_volume(paths_, {.name = name}), Error) << name;
}

TEST(AnonymousVolume, IsFoundAgainByARecreatedContainer) {
    EXPECT_EQ(anonymous_volume_name("shop-db-1", "/data", ""),
              anonymous_volume_name("shop-db-1", "/data", ""));
    EXPECT_NE(anonymous_volume_name("shop-db-1", "/data", ""),
              anonymous_volume_name("shop-db-1", "/data", "renewed"));
    EXPECT_NE(anonymous_volume_name("shop-db-1", "/data", ""),
              anonymous_volume_name("shop-db-2", "/data", ""));
}

}  // namespace
}  // namespace stack::storage
