// Images that no honest program makes (security.md 2M, 30 to 50), each through a pull and as an
// archive: taken or refused, with a sentence, at once, and nothing of what is refused stays.

#include <stack/error.h>

#include "base/digest.h"
#include "base/random.h"
#include "engine/image/fetch.h"
#include "engine/image/store.h"
#include "engine/image/tar_stream.h"
#include "fetch/deflate.h"
#include "fetch/import.h"
#include "fetch/pull.h"
#include "sys/file.h"
#include "sys/tree.h"
#include "tests/support/web_server.h"

#include <algorithm>
#include <csignal>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;
using test::web_answer;
using test::WebRequest;
using test::WebServer;

constexpr const char* manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* index_type = "application/vnd.oci.image.index.v1+json";
constexpr const char* config_type = "application/vnd.oci.image.config.v1+json";
constexpr const char* layer_type = "application/vnd.oci.image.layer.v1.tar";

std::string digest_of(const std::string& bytes) {
    return "sha256:" + sha256_hex(bytes);
}

/// A layer of one file.
std::string layer_with(const std::string& content) {
    std::string bytes;
    const image::ByteSink sink = [&](std::string_view piece) { bytes += piece; };
    image::TarStream tar(sink);
    tar.header({.path = "./", .type = '5', .mode = 0755});
    tar.header({.path = "file", .mode = 0644, .size = content.size()});
    tar.data(content);
    tar.pad(content.size());
    tar.end();
    return bytes;
}

class EvilImage : public testing::Test {
  protected:
    EvilImage() : base_(testing::TempDir() + "stack-evil-" + random_hex(8)) {
        ::umask(0);  // as the worker has it
        sys::ensure_directory(base_ + "/layout/blobs/sha256");
        sys::replace_file(base_ + "/layout/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    }

    ~EvilImage() override { sys::remove_tree(base_); }

    /// What has a digest in registry and archive; returns its descriptor.
    Json blob(const std::string& type, const std::string& bytes) {
        const std::string digest = digest_of(bytes);
        blobs_[digest] = {type, bytes};
        sys::replace_file(base_ + "/layout/blobs/sha256/" + digest.substr(7), bytes);
        return {{"mediaType", type}, {"digest", digest}, {"size", bytes.size()}};
    }

    static Json config_of(const std::vector<std::string>& diff_ids) {
        return {{"os", "linux"},
                {"architecture", "amd64"},
                {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}};
    }

    Json manifest_of(const std::string& config, const Json& layers) {
        return {{"schemaVersion", 2},
                {"mediaType", manifest_type},
                {"config", blob(config_type, config)},
                {"layers", layers}};
    }

    /// A good one, to be spoilt.
    Json good() {
        return manifest_of(config_of({digest_of(layer_)}).dump(),
                           Json::array({blob(layer_type, layer_)}));
    }

    static Json index_of(const Json& entries) {
        return {{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", entries}};
    }

    /// The sentence with which a pull of it is refused; "" where it was taken.
    std::string pull_refusal(const std::string& type, const std::string& text) {
        WebServer server([&](const WebRequest& request) { return answer(request, type, text); });
        const Paths paths = fresh_paths("pull");
        const std::string said = refusal_of([&] {
            static_cast<void>(pull(paths, {server.host() + "/evil:1", "", limit_}, {}, {}));
        });
        for (const auto& request : server.requests())
            EXPECT_TRUE(request.path.starts_with("/v2/evil/manifests/1") ||
                        request.path.starts_with("/v2/evil/manifests/sha256:") ||
                        request.path.starts_with("/v2/evil/blobs/sha256:"))
                << request.path;
        if (said.empty())
            return expect_whole(paths);
        return expect_nothing(paths, said);
    }

    /// The same of it in a layout, and in an archive of that. One of both formats is taken or
    /// refused by what Docker's manifest.json can say of it.
    std::string import_refusal(const std::string& type, const std::string& text) {
        Json entry = blob(type, text);
        sys::replace_file(base_ + "/layout/index.json", index_of(Json::array({entry})).dump());
        const std::string said = refusal_of_source("oci:" + base_ + "/layout");
        pack({"oci-layout", "index.json"});
        EXPECT_EQ(refusal_of_source("oci-archive:" + base_ + "/packed.tar").empty(), said.empty())
            << text.substr(0, 400);
        sys::replace_file(base_ + "/layout/manifest.json", docker_manifest_of(text));
        pack({"manifest.json", "index.json"});
        static_cast<void>(refusal_of_source("docker-archive:" + base_ + "/packed.tar"));
        return said;
    }

    std::string refusal_of_source(const std::string& source) {
        const Paths paths = fresh_paths("import");
        image::ImportRequest request;
        request.source = source;
        request.reference = "evil:1";
        const std::string said =
            refusal_of([&] { static_cast<void>(import_image(paths, request, limit_)); });
        if (said.empty())
            return expect_whole(paths);
        return expect_nothing(paths, said);
    }

    void expect_refused(const Json& manifest, const std::string& type = manifest_type) {
        expect_refused_text(manifest.dump(), type);
    }

    void expect_refused_text(const std::string& text, const std::string& type = manifest_type) {
        EXPECT_NE(pull_refusal(type, text), "") << text.substr(0, 400);
        EXPECT_NE(import_refusal(type, text), "") << text.substr(0, 400);
    }

    void expect_taken(const Json& manifest, const std::string& type = manifest_type) {
        EXPECT_EQ(pull_refusal(type, manifest.dump()), "") << manifest.dump().substr(0, 400);
        EXPECT_EQ(import_refusal(type, manifest.dump()), "") << manifest.dump().substr(0, 400);
    }

    std::string layer_ = layer_with("hello");
    std::string base_;
    UnpackLimit limit_;

  private:
    /// What `docker save` would say of a manifest, as far as it can.
    static std::string docker_manifest_of(const std::string& text) {
        const Json manifest = Json::parse(text, nullptr, false);
        const auto file_of = [](const Json& descriptor) {
            const Json digest =
                descriptor.is_object() ? descriptor.value("digest", Json()) : Json();
            const std::string name = digest.is_string() ? digest.get<std::string>() : "";
            return "blobs/sha256/" + name.substr(std::min<std::size_t>(7, name.size()));
        };
        Json entry = {{"RepoTags", nullptr}, {"Layers", Json::array()}};
        if (manifest.is_object() && manifest.contains("config"))
            entry["Config"] = file_of(manifest["config"]);
        if (manifest.is_object() && manifest.contains("layers") && manifest["layers"].is_array())
            for (const auto& layer : manifest["layers"])
                entry["Layers"].push_back(file_of(layer));
        return Json::array({entry}).dump(-1, ' ', false, Json::error_handler_t::replace);
    }

    /// The blobs and these files of the layout, in packed.tar.
    void pack(const std::vector<std::string>& names) const {
        std::string bytes;
        const image::ByteSink sink = [&](std::string_view piece) { bytes += piece; };
        image::TarStream tar(sink);
        const auto add = [&](const std::string& name, const std::string& content) {
            tar.header({.path = name, .mode = 0644, .size = content.size()});
            tar.data(content);
            tar.pad(content.size());
        };
        for (const auto& [digest, blob] : blobs_)
            add("blobs/sha256/" + digest.substr(7), blob.second);
        for (const auto& name : names)
            add(name, *sys::read_file(base_ + "/layout/" + name));
        tar.end();
        sys::replace_file(base_ + "/packed.tar", bytes);
    }

    std::string answer(const WebRequest& request,
                       const std::string& type,
                       const std::string& text) const {
        if (request.path == "/v2/evil/manifests/1" || request.path.ends_with(digest_of(text)))
            return web_answer(
                200, text, {{"Content-Type", type}, {"Docker-Content-Digest", digest_of(text)}});
        const auto found = blobs_.find(request.path.substr(request.path.rfind('/') + 1));
        return found == blobs_.end()
                   ? web_answer(404, "")
                   : web_answer(200, found->second.second, {{"Content-Type", found->second.first}});
    }

    Paths fresh_paths(const std::string& what) {
        Paths paths;
        paths.state = base_ + "/" + what + std::to_string(++runs_);
        paths.run = paths.state + "/run";
        return paths;
    }

    static std::string refusal_of(const std::function<void()>& what) {
        try {
            what();
            return "";
        } catch (const Error& error) {
            return std::string(error.what()).empty() ? "nothing was said" : error.what();
        }
    }

    /// The image is there, and nothing of it is missing.
    static std::string expect_whole(const Paths& paths) {
        const image::Store store(paths);
        EXPECT_EQ(store.list().size(), 1U);
        EXPECT_TRUE(store.damaged().empty());
        for (const auto& image : store.list())
            EXPECT_FALSE(store.lower_directories(image).empty());
        return "";
    }

    /// No image, and the collector can still tell what nothing needs.
    static std::string expect_nothing(const Paths& paths, const std::string& said) {
        image::Store store(paths);
        EXPECT_TRUE(store.list().empty()) << said;
        EXPECT_NO_THROW(static_cast<void>(
            store.prune([](const image::Image&) { return true; }, [] { return image::InUse(); })));
        return said;
    }

    std::map<std::string, std::pair<std::string, std::string>> blobs_;  // digest -> type, bytes
    int runs_ = 0;
};

TEST_F(EvilImage, TheGoodOneThatIsSpoiltHereIsTaken) {
    expect_taken(good());
    expect_taken(index_of(Json::array({blob(manifest_type, good().dump())})), index_type);
}

TEST_F(EvilImage, AnIndexOfIndexesHasAnEnd) {
    Json inner = blob(manifest_type, good().dump());
    expect_taken(index_of(Json::array({blob(index_type, index_of(Json::array({inner})).dump())})),
                 index_type);
    for (int i = 0; i < 50; ++i)  // 2^50 ways down
        inner = blob(index_type, index_of(Json::array({inner, inner})).dump());
    expect_refused(index_of(Json::array({inner})), index_type);
}

TEST_F(EvilImage, OneThatIsTwoThingsIsNone) {
    Json both = good();
    both["manifests"] = Json::array({blob(manifest_type, good().dump())});
    expect_refused(both);
    expect_refused(both, index_type);
    both.erase("layers");
    expect_refused(both, index_type);  // a configuration is enough
    Json cased = good();
    cased["Layers"] = Json::array();
    expect_refused(cased);
    Json other = good();
    other["mediaType"] = index_type;
    expect_refused(other);
    other["mediaType"] = 7;
    expect_refused(other);
    std::string twice = good().dump();
    twice.insert(1, R"("layers":[],)");
    expect_refused_text(twice);
}

TEST_F(EvilImage, WhatIsNoDigestIsNotAskedFor) {
    const std::string hex(64, 'a');
    for (const auto& digest : {std::string("sha256:../../../../etc/passwd"),
                               std::string("../../other/manifests/1"),
                               std::string("sha256:"),
                               std::string(":"),
                               std::string(),
                               "sha256:" + std::string(64, 'A'),
                               "sha256:" + hex.substr(1),
                               "sha256:" + hex + "a",
                               "sha256:" + hex + std::string("\0", 1),
                               "sha512:" + hex,
                               "sha256:" + hex + "?x=y"}) {
        SCOPED_TRACE(digest);
        Json manifest = good();
        manifest["config"]["digest"] = digest;
        expect_refused(manifest);
        manifest = good();
        manifest["layers"][0]["digest"] = digest;
        expect_refused(manifest);
        manifest = index_of(Json::array({blob(manifest_type, good().dump())}));
        manifest["manifests"][0]["digest"] = digest;
        expect_refused(manifest, index_type);
        expect_refused(
            manifest_of(config_of({digest}).dump(), Json::array({blob(layer_type, layer_)})));
    }
}

TEST_F(EvilImage, SizesAreWhatTheyAreSaidToBe) {
    const auto size = static_cast<std::int64_t>(layer_.size());
    for (const Json& lie : {Json(-1),
                            Json(size - 1),
                            Json(size + 1),
                            Json(9223372036854775807),
                            Json(9223372036854775808U),
                            Json(18446744073709551615U),
                            Json(1e300),
                            Json(1.5),
                            Json("7"),
                            Json(nullptr)}) {
        SCOPED_TRACE(lie.dump());
        Json manifest = good();
        manifest["layers"][0]["size"] = lie;
        EXPECT_NE(import_refusal(manifest_type, manifest.dump()), "");
        manifest = good();
        manifest["config"]["size"] = lie;
        EXPECT_NE(import_refusal(manifest_type, manifest.dump()), "");
    }
    // A blob that ends too early is asked for again and again: these need no download.
    for (const Json& lie : {Json(-1), Json(size - 1), Json(9223372036854775808U), Json(1e300)}) {
        Json manifest = good();
        manifest["layers"][0]["size"] = lie;
        EXPECT_NE(pull_refusal(manifest_type, manifest.dump()), "") << lie;
    }
    for (const Json& lie : {Json(0), Json(-1), Json(1), Json(9 << 20)}) {
        Json manifest = good();
        manifest["config"]["size"] = lie;
        EXPECT_NE(pull_refusal(manifest_type, manifest.dump()), "") << lie;
    }
}

TEST_F(EvilImage, AddressesInAManifestAreNotAskedAnything) {
    WebServer elsewhere([](const WebRequest&) { return web_answer(200, "x"); });
    Json manifest = good();
    manifest["layers"][0]["urls"] = {"http://" + elsewhere.host() + "/layer", "file:///etc/passwd"};
    expect_taken(manifest);
    EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(EvilImage, HasAsManyLayersAsCanBeMounted) {
    expect_taken(manifest_of(config_of({}).dump(), Json::array()));
    const auto repeated = [&](std::size_t times) {
        Json layers = Json::array();
        for (std::size_t i = 0; i < times; ++i)
            layers.push_back(blob(layer_type, layer_));
        return manifest_of(config_of(std::vector<std::string>(times, digest_of(layer_))).dump(),
                           layers);
    };
    expect_taken(repeated(100));  // one directory: overlayfs would not take it twice
    expect_refused(repeated(501));
}

TEST_F(EvilImage, ConfigurationAndManifestAgreeOnTheLayers) {
    const Json layers = Json::array({blob(layer_type, layer_)});
    const std::string other = layer_with("other");
    for (const Json& config : {config_of({}),
                               config_of({digest_of(layer_), digest_of(layer_)}),
                               config_of({digest_of(other)}),
                               Json::array(),
                               Json("config"),
                               Json{{"rootfs", 7}},
                               Json{{"rootfs", {{"diff_ids", "sha256:"}}}},
                               Json{{"rootfs", {{"diff_ids", {7}}}}}})
        expect_refused(manifest_of(config.dump(), layers));
    Json swapped = manifest_of(config_of({digest_of(layer_), digest_of(other)}).dump(),
                               Json::array({blob(layer_type, other), blob(layer_type, layer_)}));
    expect_refused(swapped);
}

TEST_F(EvilImage, ConfigurationsAreNeitherBottomlessNorAmbiguousNorEndless) {
    const Json layers = Json::array({blob(layer_type, layer_)});
    const std::string good_config = config_of({digest_of(layer_)}).dump();
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    for (const auto& first : {std::string(R"("rootfs":{"diff_ids":[]},)"),
                              "\"x\":" + deep + ",",
                              "\"x\":\"" + std::string(9U << 20U, 'x') + "\","}) {
        std::string config = good_config;
        expect_refused(manifest_of(config.insert(1, first), layers));
    }
    expect_refused_text(deep);
    expect_refused_text("{\"x\":" + deep + "}", index_type);
    expect_refused_text(R"({"schemaVersion":1,"fsLayers":[]})");
    expect_refused_text("");
    expect_refused_text("null");
}

TEST_F(EvilImage, AConfigurationMayHaveALongHistory) {
    Json config = config_of({digest_of(layer_)});
    config["history"] = Json(50'000, Json::object());
    expect_taken(manifest_of(config.dump(), Json::array({blob(layer_type, layer_)})));
}

TEST_F(EvilImage, ALayerThatEndsAnywhereIsRefused) {
    const std::string long_layer = layer_with(std::string(3000, 'x'));
    for (std::size_t size = 0; size < long_layer.size(); size += 512) {
        Json manifest = manifest_of(config_of({digest_of(long_layer)}).dump(),
                                    Json::array({blob(layer_type, long_layer.substr(0, size))}));
        EXPECT_NE(import_refusal(manifest_type, manifest.dump()), "") << size;
    }
    std::string flipped = long_layer;
    flipped[1000] ^= 1;
    expect_refused(manifest_of(config_of({digest_of(long_layer)}).dump(),
                               Json::array({blob(layer_type, flipped)})));
}

/// No file may become larger than this in the meantime, whoever writes it.
class LargestFile {
  public:
    explicit LargestFile(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
    }

    ~LargestFile() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

    LargestFile(const LargestFile&) = delete;
    LargestFile& operator=(const LargestFile&) = delete;

  private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

std::string gzipped(std::string_view content) {
    std::string packed;
    Deflater deflater([&](std::string_view bytes) { packed += bytes; });
    deflater.feed(content);
    deflater.finish();
    return packed;
}

/// A tar of one file of zeros, packed to a thousandth: a member of the packed bytes that comes
/// again and again.
std::string bomb_of(std::size_t pieces) {
    constexpr std::size_t piece = 32U << 20U;
    std::string head;
    const image::ByteSink sink = [&](std::string_view bytes) { head += bytes; };
    image::TarStream tar(sink);
    tar.header({.path = "zeros", .mode = 0644, .size = std::uint64_t{piece} * pieces});
    std::string packed = gzipped(head);
    const std::string zeros = gzipped(std::string(piece, '\0'));
    for (std::size_t i = 0; i < pieces; ++i)
        packed += zeros;
    return packed + gzipped(std::string(1024, '\0'));
}

TEST_F(EvilImage, ABombIsRefusedBeforeItIsLarge) {
    const std::string bomb = bomb_of(320);  // 10 GiB
    const std::string type = std::string(layer_type) + "+gzip";
    const std::string manifest = manifest_of(config_of({digest_of("nobody unpacks it")}).dump(),
                                             Json::array({blob(type, bomb)}))
                                     .dump();
    sys::replace_file(base_ + "/bomb.tar.gz", bomb);
    limit_.most = std::int64_t{16} << 20U;
    const LargestFile largest(static_cast<rlim_t>(bomb.size() + (32U << 20U)));
    for (const auto& said : {pull_refusal(manifest_type, manifest),
                             import_refusal(manifest_type, manifest),
                             refusal_of_source("tar:" + base_ + "/bomb.tar.gz"),
                             refusal_of_source("docker-archive:" + base_ + "/bomb.tar.gz")})
        EXPECT_NE(said.find(" more than 16 MiB"), std::string::npos) << said;
}

TEST_F(EvilImage, AnotherPlatformsImageIsNotThatWhichWasAskedFor) {
    Json config = config_of({digest_of(layer_)});
    config["architecture"] = "arm64";
    const std::string text =
        manifest_of(config.dump(), Json::array({blob(layer_type, layer_)})).dump();
    WebServer server([&](const WebRequest& request) {
        if (request.path.find("/manifests/") != std::string::npos)
            return web_answer(200, text, {{"Content-Type", manifest_type}});
        const bool is_layer = request.path.ends_with(digest_of(layer_));
        return web_answer(200, is_layer ? layer_ : config.dump());
    });
    Paths paths;
    paths.state = base_ + "/state";
    paths.run = paths.state + "/run";
    const std::string name = server.host() + "/evil:1";
    EXPECT_NO_THROW(pull(paths, {name, "", {}}, {}, {})) << "whoever says nothing is warned";
    EXPECT_NO_THROW(pull(paths, {name, "linux/arm64", {}}, {}, {}));
    EXPECT_THROW(pull(paths, {name, "linux/amd64", {}}, {}, {}), Error);
}

}  // namespace
}  // namespace stack::fetch
