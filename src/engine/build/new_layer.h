#pragma once

// A layer in the making, and what it lies upon.

#include "engine/image/store.h"
#include "sys/fd.h"

#include <cstdint>
#include <optional>
#include <string>

namespace stack::build {

/// The overlay lower directories for these layers (base first), topmost first. A layer that comes
/// twice counts where it is topmost: there it already decides about every path it has, and
/// overlayfs takes no directory twice.
[[nodiscard]] Strings lowers_for(const image::Store& store, const Strings& layers);

/// Gives the root of a new upper directory the mode and owner of the root below it: an overlay
/// shows the upper's.
void inherit_root(const Strings& lowers, const std::string& upper);

/// Abandoned unless it is published.
class NewLayer {
  public:
    NewLayer(image::Store& store, Strings lowers);

    [[nodiscard]] std::string upper() const { return staging_.path() + "/fs"; }

    [[nodiscard]] std::string work() const { return staging_.path() + "/work"; }

    /// An empty directory on the same file system, gone when the layer is published.
    [[nodiscard]] std::string scratch() const { return staging_.path() + "/scratch"; }

    [[nodiscard]] const Strings& lowers() const { return lowers_; }

    /// The merged view; the upper directory alone where nothing is below.
    [[nodiscard]] sys::Fd open_root() const;

    /// Postcondition: the layer is in the store, and nothing in it is younger than `latest`
    /// (seconds since 1970). Returns its diffID, or "" where nothing was written. No view of it may
    /// be open.
    [[nodiscard]] std::string publish(std::optional<std::int64_t> latest = {});

  private:
    image::Store& store_;
    Strings lowers_;
    sys::ScratchDirectory staging_;
};

}  // namespace stack::build
