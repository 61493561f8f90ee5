#pragma once

// A layer from a file of this machine, as it will travel: packed already, the bytes stay as they
// are; otherwise they are packed on their way (gzip).

#include "base/digest.h"
#include "fetch/deflate.h"
#include "fetch/layer.h"

#include <optional>

namespace stack::fetch {

class PackingFile {
  public:
    explicit PackingFile(std::string path);

    void feed(std::string_view bytes);
    /// The end of the bytes.
    [[nodiscard]] Packed finish();

  private:
    void choose();
    void write(std::string_view bytes);

    std::string path_;
    sys::Fd file_;
    Sha256 digest_;
    std::int64_t size_ = 0;
    std::string head_;  // until there is enough to tell whether it is packed
    bool chosen_ = false;
    std::optional<Deflater> deflater_;
    std::string media_type_;
};

}  // namespace stack::fetch
