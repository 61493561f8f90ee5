#pragma once

#include <stack/model.h>

#include "sys/fd.h"

#include <string>

namespace stack::fetch {

/// Whose files it works with: those of whatever is in images, or none but its own.
enum class Files { of_others, own };

/// Takes from this process what it does not need: new privileges, other programs and processes
/// (seccomp), capabilities (all but owning files, where they are others'), and (Landlock) reading
/// and writing anywhere but in the store of images, the locks, and `target`, reading anywhere else
/// but what is `readable` (files and directories, those of them that are there), serving a port,
/// driving devices. What a kernel lacks is left out. No process with fewer rights than the host's
/// root looks into it from here on.
void confine(const std::string& state,
             const std::string& run,
             Files files,
             const Strings& readable,
             const sys::Fd& target = {});

/// The same for who unpacks an archive that is open already, and more: there is nothing but what
/// lies below `directory`, which is the root from now on, and no network. Postcondition:
/// `directory` is the same one through a mount that opens no device; itself where it belongs to
/// another mount namespace (the view of a container).
void confine_to(sys::Fd& directory);

}  // namespace stack::fetch
