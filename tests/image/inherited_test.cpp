// What a layer takes from those below it, in each image from its own.

#include "engine/image/inherited.h"

#include <stack/error.h>

#include "sys/file.h"
#include "tests/image/bed.h"

#include <algorithm>
#include <functional>
#include <optional>

#include <sys/stat.h>

namespace stack::image {
namespace {

class Inherited : public StoreTest {
  protected:
    /// A layer whose files `fill` makes in the directory that it is given; its diffID.
    static std::string add(Store& store,
                           char name,
                           const Unsaid& unsaid,
                           const std::function<void(const std::string&)>& fill) {
        auto staging = store.begin_layer();
        fill(staging.path() + "/fs");
        const std::string diff_id = "sha256:" + std::string(64, name);
        LayerRecord record;
        record.unsaid = unsaid;
        store.publish_layer(std::move(staging), diff_id, record);
        return diff_id;
    }

    static void make_directory(const std::string& path, std::uint32_t mode) {
        sys::ensure_directory(path);
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    }

    /// The mode that an overlay of these shows of a directory: that of the topmost one.
    static std::uint32_t mode_in(const Strings& lowers, const std::string& path) {
        struct stat status {};

        for (const auto& lower : lowers)
            if (::lstat((lower + "/" + path).c_str(), &status) == 0)
                return status.st_mode & 07777U;
        ADD_FAILURE() << "there is no " << path;
        return 0;
    }

    static std::string content_in(const Strings& lowers, const std::string& path) {
        for (const auto& lower : lowers)
            if (const auto text = sys::read_file(lower + "/" + path))
                return *text;
        return "nothing";
    }

    Strings lowers_of(Store& store, const std::string& name, const Strings& layers) {
        add_image(store, name, layers);
        return store.lower_directories(layers);
    }
};

TEST_F(Inherited, ADirectoryWithoutAnEntryLooksAsInTheImageBelow) {
    Store store(paths_);
    const auto sticky = add(store, 'a', {}, [](const std::string& fs) {
        make_directory(fs + "/tmp", 01777);
        make_directory(fs + "/tmp/own", 0700);
    });
    const auto closed =
        add(store, 'b', {}, [](const std::string& fs) { make_directory(fs + "/tmp", 0700); });
    const auto above = add(store, 'c', {{".", "tmp", "tmp/own"}, {}}, [](const std::string& fs) {
        sys::ensure_directory(fs + "/tmp/own");
        sys::replace_file(fs + "/tmp/own/file", "x");
    });
    const auto one = lowers_of(store, "one:1", {sticky, above});
    const auto two = lowers_of(store, "two:1", {closed, above});
    EXPECT_EQ(mode_in(one, "tmp"), 01777U);
    EXPECT_EQ(mode_in(one, "tmp/own"), 0700U);
    EXPECT_EQ(mode_in(two, "tmp"), 0700U) << "each image has its own";
    EXPECT_EQ(mode_in(two, "tmp/own"), 0755U) << "nothing below says otherwise";
    EXPECT_EQ(content_in(one, "tmp/own/file"), "x");
    EXPECT_EQ(mode_in({store.layer_directory(above)}, "tmp"), 0755U) << "the layer is nobody's";
}

TEST_F(Inherited, WhatIsSaidIsNotInherited) {
    Store store(paths_);
    const auto below =
        add(store, 'a', {}, [](const std::string& fs) { make_directory(fs + "/tmp", 01777); });
    const auto above =
        add(store, 'b', {}, [](const std::string& fs) { make_directory(fs + "/tmp", 0755); });
    const auto lowers = lowers_of(store, "one:1", {below, above});
    EXPECT_EQ(lowers.size(), 2U);
    EXPECT_EQ(mode_in(lowers, "tmp"), 0755U);
}

TEST_F(Inherited, ALinkToAFileBelowIsThatFile) {
    Store store(paths_);
    const auto below = add(store, 'a', {}, [](const std::string& fs) {
        sys::replace_file(fs + "/file", "below", 0640);
    });
    const auto other = add(
        store, 'b', {}, [](const std::string& fs) { sys::replace_file(fs + "/file", "other"); });
    const auto above = add(store, 'c', {{}, {{"sub/link", "file"}}}, [](const std::string& fs) {
        make_directory(fs + "/sub", 0711);
    });
    const auto one = lowers_of(store, "one:1", {below, above});
    EXPECT_EQ(content_in(one, "sub/link"), "below");
    EXPECT_EQ(mode_in(one, "sub/link"), 0640U);
    EXPECT_EQ(mode_in(one, "sub"), 0711U);
    EXPECT_EQ(content_in(lowers_of(store, "two:1", {other, above}), "sub/link"), "other")
        << "no image decides what another one has";
    EXPECT_EQ(content_in(lowers_of(store, "three:1", {below, other, above}), "sub/link"), "other");
}

/// The name of a file is bytes, whatever a record of it is written in.
TEST_F(Inherited, NamesAreBytes) {
    Store store(paths_);
    const auto below = add(store, 'a', {}, [](const std::string& fs) {
        make_directory(fs + "/d\xff", 01777);
        sys::replace_file(fs + "/f\xe4", "below");
        sys::replace_file(fs + "/\u00e4", "below, too");
    });
    const auto above = add(store,
                           'b',
                           {{"d\xff"}, {{"one\xfe", "f\xe4"}, {"two", "\u00e4"}}},
                           [](const std::string& fs) { make_directory(fs + "/d\xff", 0755); });
    const auto lowers = lowers_of(store, "one:1", {below, above});
    EXPECT_EQ(mode_in(lowers, "d\xff"), 01777U);
    EXPECT_EQ(content_in(lowers, "one\xfe"), "below");
    EXPECT_EQ(content_in(lowers, "two"), "below, too");
}

TEST_F(Inherited, LinksToOneFileAreOneFile) {
    Store store(paths_);
    const auto below = add(
        store, 'a', {}, [](const std::string& fs) { sys::replace_file(fs + "/file", "below"); });
    const auto above =
        add(store, 'b', {{}, {{"one", "file"}, {"sub/two", "file"}}}, [](const auto& fs) {
            make_directory(fs + "/sub", 0711);
        });
    const auto lowers = lowers_of(store, "one:1", {below, above});

    struct stat one {};

    struct stat two {};

    ASSERT_EQ(::lstat((lowers.front() + "/one").c_str(), &one), 0);
    ASSERT_EQ(::lstat((lowers.front() + "/sub/two").c_str(), &two), 0);
    EXPECT_EQ(one.st_ino, two.st_ino);
    EXPECT_EQ(one.st_nlink, 2U);
    EXPECT_EQ(mode_in(lowers, "sub"), 0711U);
    EXPECT_EQ(content_in(lowers, "sub/two"), "below");
}

TEST_F(Inherited, ALinkToNothingIsNoImage) {
    Store store(paths_);
    const auto below =
        add(store, 'a', {}, [](const std::string& fs) { sys::ensure_directory(fs + "/dir"); });
    const auto above = add(store, 'b', {{}, {{"link", "gone"}}}, [](const std::string&) {});
    const auto of_directory = add(store, 'c', {{}, {{"link", "dir"}}}, [](const std::string&) {});
    EXPECT_THROW(add_image(store, "one:1", {below, above}), Error);
    EXPECT_THROW(add_image(store, "two:1", {below, of_directory}), Error);
    EXPECT_THROW(add_image(store, "three:1", {above}), Error) << "there is no layer below";
    EXPECT_TRUE(store.list().empty());
}

TEST_F(Inherited, IsThereAsLongAsItsLayersAre) {
    std::optional<Store> maker(paths_);
    const auto below =
        add(*maker, 'a', {}, [](const std::string& fs) { make_directory(fs + "/tmp", 01777); });
    const auto above = add(*maker, 'b', {{"tmp"}, {}}, [](const std::string& fs) {
        sys::ensure_directory(fs + "/tmp");
    });
    add_image(*maker, "one:1", {below, above});
    maker.reset();
    Store build(paths_);  // a step of one, whose base goes meanwhile
    build.hold({below, above});
    Store(paths_).remove("one:1", false, nothing);
    EXPECT_EQ(mode_in(build.lower_directories(Strings{below, above}), "tmp"), 01777U);
}

TEST_F(Inherited, GoesWithTheFirstOfItsLayersThatGoes) {
    std::optional<Store> maker(paths_);
    const auto below =
        add(*maker, 'a', {}, [](const std::string& fs) { make_directory(fs + "/tmp", 01777); });
    const auto above = add(*maker, 'b', {{"tmp"}, {}}, [](const std::string& fs) {
        sys::ensure_directory(fs + "/tmp");
    });
    add_image(*maker, "one:1", {below, above});
    add_image(*maker, "two:1", {above});
    maker.reset();
    EXPECT_EQ(in("inherited").size(), 1U);
    Store(paths_).remove("one:1", false, nothing);
    EXPECT_EQ(in("layers").size(), 1U);
    EXPECT_TRUE(in("inherited").empty());
}

TEST_F(Inherited, ALayerThatComesTwiceIsALowerDirectoryOnce) {
    Store store(paths_);
    const auto a = add_layer(store, "a");
    const auto b = add_layer(store, "b");
    EXPECT_EQ(lowers_of(store, "one:1", {a, b, a}),
              (Strings{store.layer_directory(a), store.layer_directory(b)}));
}

TEST_F(Inherited, AChainIsNamedByAllItsLayers) {
    const std::string a = "sha256:" + std::string(64, 'a');
    const std::string b = "sha256:" + std::string(64, 'b');
    const auto chains = chain_ids({a, b, a});
    EXPECT_EQ(chains[0], a);
    EXPECT_EQ(chains[1], chain_ids({a, b})[1]);
    EXPECT_NE(chains[1], chain_ids({b, a})[1]);
    EXPECT_TRUE(chain_ids({}).empty());
}

}  // namespace
}  // namespace stack::image
