#include "fetch/packing_file.h"

#include "fetch/inflate.h"
#include "sys/file.h"

#include <fcntl.h>

namespace stack::fetch {
namespace {

constexpr const char* layer_type = "application/vnd.oci.image.layer.v1.tar";

}  // namespace

PackingFile::PackingFile(std::string path)
    : path_(std::move(path)), file_(sys::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0600)) {}

void PackingFile::write(std::string_view bytes) {
    digest_.update(bytes);
    size_ += static_cast<std::int64_t>(bytes.size());
    sys::write_all(file_, bytes);
}

void PackingFile::choose() {
    chosen_ = true;
    const Packing packing = packing_of(head_);
    media_type_ = std::string(layer_type) + (packing == Packing::zstd ? "+zstd" : "+gzip");
    if (packing == Packing::none)
        deflater_.emplace([this](std::string_view packed) { write(packed); });
    const std::string head = std::move(head_);
    feed(head);
}

void PackingFile::feed(std::string_view bytes) {
    if (!chosen_) {
        head_ += bytes;
        if (head_.size() >= enough_to_tell)
            choose();
    } else if (deflater_) {
        deflater_->feed(bytes);
    } else {
        write(bytes);
    }
}

Packed PackingFile::finish() {
    if (!chosen_)
        choose();
    if (deflater_)
        deflater_->finish();
    return {{media_type_, "sha256:" + digest_.finish(), size_}, path_};
}

}  // namespace stack::fetch
