// Archives and layouts with several images: which of them are meant, and what they are called.

#include "fetch/archived.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/random.h"
#include "engine/image/fetch.h"
#include "engine/image/store.h"
#include "fetch/import.h"
#include "fetch/save.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <algorithm>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

constexpr const char* name_key = "io.containerd.image.name";
constexpr const char* tag_key = "org.opencontainers.image.ref.name";

class Archived : public testing::Test {
  protected:
    Archived() : base_(testing::TempDir() + "stack-archived-" + random_hex(8)) {
        sys::ensure_directory(base_ + "/blobs/sha256");
        paths_.state = base_ + "/state";
        paths_.run = base_ + "/run";
    }

    ~Archived() override { sys::remove_tree(base_); }

    Json blob(const std::string& bytes) {
        sys::replace_file(base_ + "/blobs/sha256/" + sha256_hex(bytes), bytes);
        return {{"digest", "sha256:" + sha256_hex(bytes)}, {"size", bytes.size()}};
    }

    /// An image without layers, which says `author`; its entry in an index.
    Json image(const std::string& author,
               const Json& annotations = Json::object(),
               const std::string& architecture = "") {
        const Json config = {{"os", "linux"}, {"author", author}};
        Json entry = blob(
            Json{{"schemaVersion", 2}, {"config", blob(config.dump())}, {"layers", Json::array()}}
                .dump());
        entry["mediaType"] = "application/vnd.oci.image.manifest.v1+json";
        if (!annotations.empty())
            entry["annotations"] = annotations;
        if (!architecture.empty())
            entry["platform"] = {{"os", "linux"}, {"architecture", architecture}};
        return entry;
    }

    void write_index(const Json& entries) {
        sys::replace_file(base_ + "/index.json",
                          Json{{"schemaVersion", 2}, {"manifests", entries}}.dump());
    }

    /// Who made the images that are found, and what they are called.
    [[nodiscard]] Strings found(const std::string& name = "") const {
        Strings list;
        for (const auto& one : images_of_archive(sys::open_directory(base_), name))
            list.push_back(Json::parse(one.config)["author"].get<std::string>() +
                           (one.names.empty() ? "" : " " + one.names.front()));
        return list;
    }

    std::string base_;
    Paths paths_;
};

TEST_F(Archived, EveryImageOfALayoutIsFoundByItsWholeName) {
    write_index(Json::array({image("a", {{name_key, "docker.io/library/a:1"}, {tag_key, "1"}}),
                             image("b", {{tag_key, "example.org/b:2"}}),
                             image("c", {{tag_key, "three"}}),
                             image("d")}));
    EXPECT_EQ(found(), (Strings{"d", "a docker.io/library/a:1", "b example.org/b:2", "c three"}));
    for (const auto* name : {"a:1", "docker.io/library/a:1"})
        EXPECT_EQ(found(name), Strings{"a docker.io/library/a:1"}) << name;
    EXPECT_EQ(found("1"), Strings{"a docker.io/library/a:1"});
    EXPECT_EQ(found("2"), Strings{"b example.org/b:2"});
    EXPECT_EQ(found("three"), Strings{"c three"});
    EXPECT_THROW(static_cast<void>(found("four")), Error);
}

TEST_F(Archived, OfOneNameTheImageForThisMachineIsMeant) {
    const Json name = {{tag_key, "a"}};
    write_index(
        Json::array({image("other", name, "s390x"),
                     image("own", name, "amd64"),
                     image("nameless", {}, "amd64"),
                     image("nameless other", {}, "s390x"),
                     image("about", {{"vnd.docker.reference.type", "attestation-manifest"}})}));
    EXPECT_EQ(found(), (Strings{"nameless", "own a"}));
    write_index(Json::array({image("other", name, "s390x")}));
    EXPECT_THROW(static_cast<void>(found()), Error);
}

TEST_F(Archived, ANameThatIsNoneIsNoName) {
    write_index(Json::array({image("a", {{tag_key, "Not A Name"}})}));
    EXPECT_EQ(found(), Strings{"a"});
}

TEST_F(Archived, DockersManifestCountsWhereThereIsOne) {
    write_index(Json::array({image("of the index")}));
    sys::replace_file(base_ + "/one.json", R"({"author": "one"})");
    sys::replace_file(base_ + "/two.json", R"({"author": "two"})");
    sys::replace_file(base_ + "/manifest.json", R"([
        {"Config": "one.json", "RepoTags": ["one:1", "other:1"], "Layers": null},
        {"Config": "two.json", "RepoTags": null, "Layers": []}])");
    EXPECT_EQ(found(), (Strings{"one one:1", "two"}));
    EXPECT_EQ(found("other:1"), Strings{"one one:1"});
    EXPECT_THROW(static_cast<void>(found("two")), Error);
}

TEST_F(Archived, InBothFormatsEachImageHasItsOwnManifest) {
    Json index = Json::array();
    Json docker = Json::array();
    for (const auto* author : {"a", "b", "c"}) {
        index.insert(index.begin(), image(author));
        const std::string config = Json{{"os", "linux"}, {"author", author}}.dump();
        docker.push_back({{"Config", "blobs/sha256/" + sha256_hex(config)},
                          {"Layers", Json::array()},
                          {"RepoTags", {std::string(author) + ":1"}}});
    }
    docker.push_back(docker[0]);  // once more
    index.push_back(blob("not what its name says"));
    sys::replace_file(base_ + "/blobs/sha256/" + sha256_hex("not what its name says"), "other");
    write_index(index);
    sys::replace_file(base_ + "/manifest.json", docker.dump());
    Strings own;
    for (const auto& one : images_of_archive(sys::open_directory(base_), "")) {
        ASSERT_TRUE(one.manifest) << one.names.front();
        EXPECT_EQ(Json::parse(*one.manifest)["config"]["digest"],
                  "sha256:" + sha256_hex(one.config));
        own.push_back(Json::parse(one.config)["author"]);
    }
    EXPECT_EQ(own, (Strings{"a", "b", "c", "a"}));
}

/// However far a save came before it was killed.
TEST_F(Archived, WhatIsLeftOfASaveHasAllImagesOrNone) {
    write_index(Json::array({image("a", {{tag_key, "a:1"}}), image("b", {{tag_key, "b:1"}})}));
    image::ImportRequest request;
    request.source = "oci:" + base_;
    const std::string ids = import_image(paths_, request, {});
    const std::string file = base_ + "/saved.tar";
    static_cast<void>(
        save(paths_, {"a:1", "b:1"}, "", sys::open_file(file, O_WRONLY | O_CREAT, 0600)));
    const std::string whole = *sys::read_file(file);
    request.source = "docker-archive:" + file;
    EXPECT_EQ(import_image(paths_, request, {}), ids);
    constexpr std::size_t record = 512;
    for (std::size_t size = 0; size < whole.size(); size += record) {
        sys::replace_file(file, whole.substr(0, size));
        std::string loaded = ids;
        try {
            loaded = import_image(paths_, request, {});
        } catch (const Error&) {
        }
        EXPECT_EQ(loaded, ids) << size;
    }
}

TEST_F(Archived, AManifestThatIsNoneIsRefusedWithASentence) {
    for (const auto* text : {"",
                             "null",
                             "[]",
                             "{}",
                             "[7]",
                             "[null]",
                             R"([{"Config": 7}])",
                             R"([{"Config": "a", "Layers": "b"}])",
                             R"([{"Config": "a", "Layers": [7]}])",
                             R"([{"Config": "a", "Config": "b"}])",
                             R"([{"Config": "a", "RepoTags": [[]]}])"})
        EXPECT_THROW(static_cast<void>(parse_docker_manifest(text)), Error) << text;
    const std::string deep(1U << 20U, '[');
    EXPECT_THROW(static_cast<void>(parse_docker_manifest(deep)), Error);
    for (const auto* config : {"../../etc/passwd", "/etc/passwd", "", ".", "blobs"}) {
        sys::replace_file(base_ + "/manifest.json", Json::array({{{"Config", config}}}).dump());
        EXPECT_THROW(static_cast<void>(found()), Error) << config;
    }
}

TEST_F(Archived, AllAreImportedAndSavedAgainUnderTheirNames) {
    write_index(Json::array({image("a", {{tag_key, "a:1"}}), image("b", {{tag_key, "b:1"}})}));
    image::ImportRequest request;
    request.source = "oci:" + base_;
    const std::string ids = import_image(paths_, request, {});
    EXPECT_EQ(std::count(ids.begin(), ids.end(), '\n'), 1);
    request.reference = "c:1";
    EXPECT_THROW(static_cast<void>(import_image(paths_, request, {})), Error)
        << "which of them is c?";
    request.source += ":b:1";
    static_cast<void>(import_image(paths_, request, {}));
    const image::Store store(paths_);
    EXPECT_EQ(store.find("b:1")->id, store.find("c:1")->id);

    sys::ensure_directory(base_ + "/saved");
    static_cast<void>(
        save(paths_, {"a:1", "b:1", "c:1"}, "", sys::open_directory(base_ + "/saved")));
    Strings names;
    for (const auto& one : images_of_layout(sys::open_directory(base_ + "/saved"), ""))
        names.insert(names.end(), one.names.begin(), one.names.end());
    EXPECT_EQ(names,
              (Strings{"docker.io/library/a:1", "docker.io/library/b:1", "docker.io/library/c:1"}));
    const auto docker = parse_docker_manifest(*sys::read_file(base_ + "/saved/manifest.json"));
    ASSERT_EQ(docker.size(), 2U);
    EXPECT_EQ(docker[1].tags, (Strings{"b:1", "c:1"}));

    sys::ensure_directory(base_ + "/renamed");
    const sys::Fd renamed = sys::open_directory(base_ + "/renamed");
    static_cast<void>(save(paths_, {"a:1"}, "tag", renamed));
    EXPECT_EQ(images_of_layout(renamed, "tag").front().names, Strings{"tag"});
    EXPECT_THROW(static_cast<void>(save(paths_, {"a:1", "b:1"}, "tag", renamed)), Error);
}

TEST_F(Archived, APathMayHaveColonsAndSoMayAName) {
    sys::ensure_directory(base_ + "/with:colon");
    const auto pair = [](const std::string& path, const std::string& name) {
        return std::pair(path, name);
    };
    EXPECT_EQ(image::path_and_name(base_ + "/with:colon"), pair(base_ + "/with:colon", ""));
    EXPECT_EQ(image::path_and_name(base_ + "/with:colon:a:1"), pair(base_ + "/with:colon", "a:1"));
    EXPECT_EQ(image::path_and_name("/nowhere/at/all:a:1"), pair("/nowhere/at/all", "a:1"));
    EXPECT_EQ(image::path_and_name("/nowhere/at/all"), pair("/nowhere/at/all", ""));
}

TEST_F(Archived, SaysNoMoreOfItsImagesThanFitsIntoMemory) {
    const Json config = {{"os", "linux"}, {"author", std::string(7U << 20U, 'a')}};
    sys::replace_file(base_ + "/config", config.dump());
    Json entries = Json::array();
    for (int i = 0; i < 40; ++i)
        entries.push_back({{"Config", "config"}, {"Layers", Json::array()}});
    sys::replace_file(base_ + "/manifest.json", entries.dump());
    EXPECT_THROW(static_cast<void>(found()), Error);
    entries.erase(entries.begin() + 2, entries.end());
    sys::replace_file(base_ + "/manifest.json", entries.dump());
    EXPECT_EQ(found().size(), 2U);
}

}  // namespace
}  // namespace stack::fetch
