#include "tests/integration/image_layout.h"

#include "base/digest.h"

#include <fstream>
#include <iterator>
#include <utility>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

using Json = nlohmann::json;

Json read(const fs::path& path) {
    std::ifstream file(path);
    return Json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace

ImageLayout::ImageLayout(fs::path place) : place_(std::move(place)) {}

fs::path ImageLayout::blob(const std::string& digest) const {
    return place_ / "blobs/sha256" / digest.substr(digest.find(':') + 1);
}

void ImageLayout::put(const std::string& text, Json& descriptor) const {
    descriptor["digest"] = "sha256:" + sha256_hex(text);
    descriptor["size"] = text.size();
    std::ofstream(blob(descriptor["digest"])) << text;
}

void ImageLayout::change_manifest(const Change& change) const {
    Json index = read(place_ / "index.json");
    Json manifest = read(blob(index["manifests"][0]["digest"]));
    change(manifest);
    put(manifest.dump(), index["manifests"][0]);
    std::ofstream(place_ / "index.json") << index.dump();
}

Json ImageLayout::config() const {
    const Json index = read(place_ / "index.json");
    return read(blob(read(blob(index["manifests"][0]["digest"]))["config"]["digest"]));
}

void ImageLayout::set_config(const std::string& text) const {
    change_manifest([&](Json& manifest) { put(text, manifest["config"]); });
}

void ImageLayout::change_config(const Change& change) const {
    Json whole = config();
    change(whole);
    set_config(whole.dump());
}

void ImageLayout::annotate(const Json& annotations) const {
    change_manifest([&](Json& manifest) { manifest["annotations"] = annotations; });
    Json index = read(place_ / "index.json");
    index["annotations"] = annotations;
    std::ofstream(place_ / "index.json") << index.dump();
}

}  // namespace stack::test
