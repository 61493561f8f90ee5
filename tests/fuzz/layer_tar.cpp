// Whatever stands for a layer: it is unpacked inside its directory, or refused. The checksums of
// headers are put right first: else nothing but they would be tried.

#include <stack/error.h>

#include "base/random.h"
#include "fetch/import.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

namespace {

using namespace stack;

void mend_checksums(std::string& tar) {
    constexpr std::size_t block = 512;
    constexpr std::size_t at = 148;
    constexpr std::size_t length = 8;
    for (std::size_t begin = 0; begin + block <= tar.size(); begin += block) {
        if (tar.compare(begin + 257, 5, "ustar") != 0)
            continue;
        tar.replace(begin + at, length, std::string(length, ' '));
        unsigned int sum = 0;
        for (std::size_t i = 0; i < block; ++i)
            sum += static_cast<unsigned char>(tar[begin + i]);
        char text[length + 1];
        std::snprintf(text, sizeof text, "%06o", sum);
        tar.replace(begin + at, 7, std::string(text) + '\0');
    }
}

class Place {
  public:
    Place() {
        ::umask(0);
        sys::ensure_directory(path_);
        sys::replace_file(path_ + "/canary", "alive");
    }

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    ~Place() { sys::remove_tree(path_); }

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_ =
        std::filesystem::temp_directory_path().string() + "/stack-fuzz-" + random_hex(8);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Place place;
    std::string text(reinterpret_cast<const char*>(data), size);
    mend_checksums(text);
    sys::ensure_directory(place.path() + "/root");
    try {
        fetch::unpack_layer(sys::memory_file("layer", text),
                            sys::open_directory(place.path() + "/root"));
    } catch (const Error&) {  // a sentence
    }
    if (sys::read_file(place.path() + "/canary") != "alive" ||
        sys::list_directory(place.path()).size() != 2)
        std::abort();
    sys::remove_tree(place.path() + "/root");
    return 0;
}
