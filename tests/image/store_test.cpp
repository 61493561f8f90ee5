#include <stack/error.h>

#include "sys/file.h"
#include "tests/image/bed.h"

#include <sys/stat.h>

namespace stack::image {
namespace {

TEST_F(StoreTest, FindsAnImageByEveryNameAndById) {
    Store store(paths_);
    const auto id = add_image(store, "web:1", {add_layer(store, "a")});
    store.tag(id, "registry.example/web:2");
    for (const auto& name : {std::string("web:1"),
                             std::string("docker.io/library/web:1"),
                             std::string("registry.example/web:2"),
                             id,
                             id.substr(7),
                             id.substr(7, 12)}) {
        const auto image = store.find(name);
        ASSERT_TRUE(image) << name;
        EXPECT_EQ(image->id, id) << name;
    }
    for (const auto& name : {std::string("web"), std::string("web:3"), id.substr(7, 11)})
        EXPECT_FALSE(store.find(name)) << name;
    EXPECT_EQ(store.list().size(), 1U);
}

TEST_F(StoreTest, KnowsSinceWhenAnImageHasItsName) {
    Store store(paths_);
    const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto id = add_image(store, "web:1", {add_layer(store, "a")});
    const auto image = store.find("web:1");
    ASSERT_TRUE(image);
    EXPECT_GE(image->named, before);
    EXPECT_LE(image->named, std::chrono::system_clock::now());
    EXPECT_EQ(store.find(id)->named, Time{});
}

TEST_F(StoreTest, IsForItsOwnerAlone) {
    sys::ensure_directory(paths_.state + "/images", 0755);  // as an older version made it
    Store store(paths_);
    add_image(store, "web:1", {add_layer(store, "a")});

    struct stat status {};

    ASSERT_EQ(::stat((paths_.state + "/images").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(StoreTest, RefusesAnImageWithoutItsLayers) {
    Store store(paths_);
    EXPECT_THROW(add_image(store, "web:1", {"sha256:" + std::string(64, 'a')}), Error);
    EXPECT_FALSE(store.find("web:1"));
}

TEST_F(StoreTest, SaysThatItsIndexIsDamagedAndCollectsNothing) {
    Store store(paths_);
    const auto layer = add_layer(store, "a");
    add_image(store, "web:1", {layer});
    sys::replace_file(paths_.state + "/images/index.json", "{\"manifests\": [");
    EXPECT_THROW(static_cast<void>(store.list()), Error);
    EXPECT_THROW(store.prune([](const Image&) { return true; }, nothing), Error);
    EXPECT_TRUE(store.has_layer(layer));
}

TEST_F(StoreTest, TellsOfADamagedImageAndCollectsNothingMeanwhile) {
    Store store(paths_);
    const auto layer = add_layer(store, "only its own");
    add_image(store, "web:1", {layer});
    const std::string manifest = store.find("web:1")->manifest_digest;
    const auto damage = [&] { sys::replace_file(store.blob_path(manifest), "{", 0644); };
    damage();
    EXPECT_FALSE(store.find("web:1"));
    EXPECT_EQ(store.damaged(), Strings{"docker.io/library/web:1"});
    Store other(paths_);
    EXPECT_EQ(other.prune([](const Image&) { return true; }, nothing).freed, 0);
    EXPECT_TRUE(store.has_layer(layer));

    add_image(store, "web:1", {layer});
    EXPECT_TRUE(store.find("web:1")) << "made again, it is whole again";
    damage();
    const auto removal = store.remove("web:1", false, nothing);
    EXPECT_EQ(removal.untagged, Strings{"docker.io/library/web:1"});
    EXPECT_EQ(store.damaged(), Strings());
}

TEST_F(StoreTest, KeepsTheImageWhoseNameWasTaken) {
    Store store(paths_);
    const auto old_layer = add_layer(store, "old");
    const auto old = add_image(store, "web:1", {old_layer});
    const auto layer = add_layer(store, "new");
    ImageConfig config;
    NewImage next;
    next.config_json = make_config("", config, {layer}, "", {});
    next.references = {"docker.io/library/web:1"};
    const auto id = store.put(next).id;
    EXPECT_EQ(store.find("web:1")->id, id);
    const auto image = store.find(old);
    ASSERT_TRUE(image);
    EXPECT_TRUE(image->references.empty());

    const auto removal =
        store.prune([](const Image& one) { return one.references.empty(); }, nothing);
    EXPECT_EQ(removal.deleted, Strings{old});
    EXPECT_FALSE(store.find(old));
    EXPECT_TRUE(store.find(id));
}

TEST_F(StoreTest, KeepsAnImageThatNeverHadAName) {
    Store store(paths_);
    NewImage image;
    image.config_json = make_config("", ImageConfig(), {add_layer(store, "a")}, "", {});
    const auto id = store.put(image).id;
    ASSERT_TRUE(store.find(id));
    EXPECT_TRUE(store.find(id)->references.empty());

    image.references = {"docker.io/library/web:1"};
    store.put(image);
    image.references.clear();
    store.put(image);
    EXPECT_EQ(store.list().size(), 1U);
    EXPECT_EQ(store.find(id)->references, Strings{"docker.io/library/web:1"});
}

TEST_F(StoreTest, RemovesTheImageWithItsLastNameAndWhatOnlyItNeeded) {
    std::string shared;
    std::string own;
    std::string id;
    {
        Store store(paths_);
        shared = add_packed_layer(store, "shared");
        own = add_packed_layer(store, "own");
        id = add_image(store, "web:1", {shared, own});
        add_image(store, "base:1", {shared});
        store.tag(id, "web:2");
    }
    Store another(paths_);  // holds nothing
    const auto first = another.remove("web:1", false, nothing);
    EXPECT_EQ(first.untagged, Strings{"docker.io/library/web:1"});
    EXPECT_TRUE(first.deleted.empty());
    EXPECT_TRUE(another.has_layer(own));
    const auto last = another.remove("web:2", false, nothing);
    EXPECT_EQ(last.deleted, Strings{id});
    EXPECT_GT(last.freed, 0);
    EXPECT_FALSE(another.has_layer(own));
    EXPECT_TRUE(another.has_layer(shared));
    EXPECT_EQ(in("blobs/sha256").size(), 3U) << "manifest, configuration and layer of base:1";
    EXPECT_TRUE(in("trash").empty());
}

TEST_F(StoreTest, RefusesToRemoveWhatAContainerUses) {
    std::string id;
    std::string layer;
    {
        Store store(paths_);
        layer = add_layer(store, "a");
        id = add_image(store, "web:1", {layer});
    }
    Store store(paths_);
    const auto in_use = [&] { return InUse{{{id, "shop-web-1"}}, {layer}}; };
    try {
        store.remove("web:1", false, in_use);
        ADD_FAILURE() << "it was removed";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("shop-web-1"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(store.find("web:1"));
    const auto removal = store.remove("web:1", true, in_use);
    EXPECT_TRUE(removal.deleted.empty());
    EXPECT_FALSE(store.find("web:1"));
    EXPECT_TRUE(store.find(id)) << "without a name, it stays as long as its container";
    EXPECT_TRUE(store.has_layer(layer));
    store.prune([](const Image&) { return true; }, nothing);
    EXPECT_FALSE(store.has_layer(layer));
}

TEST_F(StoreTest, TakesNoLayerThatSomebodyHolds) {
    Store pull(paths_);
    const auto layer = add_layer(pull, "published, of no image yet");
    Store other(paths_);
    other.prune([](const Image&) { return true; }, nothing);
    EXPECT_TRUE(other.has_layer(layer)) << "between its publication and its reference";
    add_image(pull, "web:1", {layer});
    EXPECT_TRUE(other.find("web:1"));
}

TEST_F(StoreTest, TakesWhatAnAbandonedPullHasLeft) {
    std::string layer;
    {
        Store pull(paths_);
        layer = add_packed_layer(pull, "of an image that never was");
    }
    Store store(paths_);
    EXPECT_GT(store.prune([](const Image&) { return false; }, nothing).freed, 0);
    EXPECT_FALSE(store.has_layer(layer));
    EXPECT_TRUE(in("blobs/sha256").empty());
    EXPECT_TRUE(in("leases").empty());
}

TEST_F(StoreTest, HoldsWhatItSawAlsoWhereTheImageGoes) {
    std::string layer;
    {
        Store store(paths_);
        layer = add_layer(store, "a");
        add_image(store, "web:1", {layer});
    }
    Store making(paths_);  // a container, of which there is no record yet
    making.hold(making.find("web:1")->layers);
    Store other(paths_);
    other.remove("web:1", false, nothing);
    EXPECT_TRUE(making.has_layer(layer));
}

TEST_F(StoreTest, KeepsThePackedBytesOfALayer) {
    Store store(paths_);
    const auto layer = add_packed_layer(store, "a");
    const auto packed = store.layer(layer).packed;
    ASSERT_TRUE(packed);
    EXPECT_EQ(sys::read_file(store.blob_path(packed->digest)), "packed a");
    const auto image = store.find(add_image(store, "web:1", {layer}));
    EXPECT_NE(image->manifest.find(packed->digest), std::string::npos);
}

TEST_F(StoreTest, TakesPackedBytesAlsoLater) {
    Store store(paths_);
    const auto layer = add_layer(store, "a");
    const auto scratch = store.scratch();
    sys::replace_file(scratch.path() + "/packed", "bytes");
    const PackedLayer packed{"type", "sha256:" + std::string(64, 'b'), 5};
    store.keep_packed(layer, packed, scratch.path() + "/packed");
    EXPECT_EQ(store.layer(layer).packed->digest, packed.digest);
    EXPECT_EQ(sys::read_file(store.blob_path(packed.digest)), "bytes");
}

TEST_F(StoreTest, TakesWhatHasComeOfABrokenTransfer) {
    Store store(paths_);
    const auto path = store.partial_path("sha256:" + std::string(64, 'a'));
    sys::replace_file(path, "half");
    EXPECT_EQ(store.prune_partial(), 4);
    EXPECT_FALSE(sys::exists(path));
}

}  // namespace
}  // namespace stack::image
