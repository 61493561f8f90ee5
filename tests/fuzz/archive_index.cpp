// Whatever stands for a manifest.json, and, behind the first NUL, for an index.json: what is found
// lies inside the archive, and each image has as many files of layers as its configuration names.

#include <stack/error.h>

#include "base/digest.h"
#include "base/random.h"
#include "fetch/archived.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>

namespace {

using namespace stack;

/// Beside the archive.
constexpr const char* secret = R"({"author":"nobody's business"})";

/// A layout with one image, whose digests the corpus has, too.
class Place {
  public:
    Place() {
        sys::ensure_directory(path_ + "/root/blobs/sha256");
        sys::replace_file(path_ + "/secret", secret);
        const std::string config =
            put(R"({"os":"linux","rootfs":{"type":"layers","diff_ids":[]}})");
        put(R"({"schemaVersion":2,"config":{"digest":"sha256:)" + config +
            R"(","size":55},"layers":[]})");
    }

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    ~Place() { sys::remove_tree(path_); }

    [[nodiscard]] std::string root() const { return path_ + "/root"; }

  private:
    std::string put(const std::string& bytes) const {
        std::string hex = sha256_hex(bytes);
        sys::replace_volatile_file(root() + "/blobs/sha256/" + hex, bytes);
        return hex;
    }

    std::string path_ =
        std::filesystem::temp_directory_path().string() + "/stack-fuzz-" + random_hex(8);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Place place;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto gap = text.find('\0');
    const sys::Fd root = sys::open_directory(place.root());
    sys::replace_volatile_file(place.root() + "/manifest.json", text.substr(0, gap));
    sys::replace_volatile_file(place.root() + "/index.json",
                               gap == std::string::npos ? text : text.substr(gap + 1));
    for (const auto find : {fetch::images_of_archive, fetch::images_of_layout})
        for (const auto* name : {"", "1", "a:1"})
            try {
                for (const auto& image : find(root, name))
                    if (image.config == secret)
                        std::abort();
            } catch (const Error&) {  // a sentence
            }
    return 0;
}
