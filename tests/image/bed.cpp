#include "tests/image/bed.h"

#include "base/digest.h"
#include "base/random.h"
#include "sys/file.h"
#include "sys/tree.h"

namespace stack::image {

StoreTest::StoreTest() {
    paths_.state = testing::TempDir() + "stack-store-" + random_hex(8);
    paths_.run = paths_.state + "/run";
}

StoreTest::~StoreTest() {
    sys::remove_tree(paths_.state);
}

std::string StoreTest::add_layer(Store& store, const std::string& content) {
    auto staging = store.begin_layer();
    sys::replace_file(staging.path() + "/fs/file", content);
    const std::string diff_id = "sha256:" + sha256_hex("tar of " + content);
    store.publish_layer(
        std::move(staging), diff_id, {static_cast<std::int64_t>(content.size()), {}});
    return diff_id;
}

std::string StoreTest::add_packed_layer(Store& store, const std::string& content) {
    auto staging = store.begin_layer();
    sys::replace_file(staging.path() + "/fs/file", content);
    const std::string packed = "packed " + content;
    sys::replace_file(staging.path() + "/packed", packed);
    const std::string diff_id = "sha256:" + sha256_hex("tar of " + content);
    LayerRecord record;
    record.size = static_cast<std::int64_t>(content.size());
    record.packed = {"application/vnd.oci.image.layer.v1.tar+gzip",
                     "sha256:" + sha256_hex(packed),
                     static_cast<std::int64_t>(packed.size())};
    const std::string file = staging.path() + "/packed";
    store.publish_layer(std::move(staging), diff_id, record, file);
    return diff_id;
}

std::string StoreTest::add_image(Store& store, const std::string& name, const Strings& layers) {
    ImageConfig config;
    config.command = {"run", name};
    NewImage image;
    image.config_json = make_config("", config, layers, "", {});
    image.references = {"docker.io/library/" + name};
    return store.put(image).id;
}

Strings StoreTest::in(const std::string& directory) const {
    return sys::list_directory(paths_.state + "/images/" + directory);
}

}  // namespace stack::image
