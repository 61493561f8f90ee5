#pragma once

// The directories and files that exist only because something was mounted there while a step ran:
// they do not belong to its layer.

#include "engine/build/new_layer.h"

#include <string>

namespace stack::build {

class MountPoints {
  public:
    /// Notes which of `targets`, and of the places where every container has a mount, are not there
    /// yet.
    MountPoints(const NewLayer& layer, const Strings& targets);

    /// Postcondition: those that are still empty are gone from the upper directory, and so are
    /// parents that are there for nothing else.
    void remove() const;

  private:
    void note(const sys::Fd& below, const std::string& target);
    void remove_copied_parent(const sys::Fd& upper,
                              const sys::Fd& below,
                              const std::string& path) const;

    const NewLayer& layer_;
    Strings made_;     // relative, deepest last
    Strings parents_;  // directories that were there, in which something is made
};

}  // namespace stack::build
