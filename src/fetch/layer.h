#pragma once

// One layer in one pass: packed bytes in, a published directory out.

#include "engine/image/store.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stack::fetch {

using Sink = std::function<void(std::string_view)>;

/// The packed bytes of a layer, in a file that the store may take.
struct Packed {
    image::PackedLayer layer;
    std::string file;
};

/// Calls the sink with the packed bytes, piece by piece, to their end, and says where they were
/// put.
using Producer = std::function<Packed(const Sink&)>;

/// What a layer may become. A small download that grows without measure fills the disk: that is
/// refused unless the machine's owner has set how much is meant.
struct UnpackLimit {
    std::int64_t most = 0;  // bytes of the unpacked tar; 0: the default

    /// Throws where `unpacked` bytes out of `packed` are too many.
    void check(std::int64_t packed, std::int64_t unpacked) const;

    /// Throws where files of so many bytes together are too many: holes, which no tar has to carry,
    /// are bytes to everybody who reads them.
    void check_files(std::int64_t bytes) const;

  private:
    [[nodiscard]] std::int64_t bound() const;
};

/// Unpacks, checks and publishes a layer. Unpacking runs beside the download, with a bounded queue
/// between. `expected_diff_id` may be empty: then any content is taken. Returns the diffID.
std::string import_layer(image::Store& store,
                         const Producer& produce,
                         const std::string& expected_diff_id,
                         const UnpackLimit& limit);

}  // namespace stack::fetch
