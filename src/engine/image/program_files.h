#pragma once

// What a program of this machine needs to run elsewhere: its interpreter and its shared libraries.

#include <set>
#include <string>

namespace stack::image {

/// The paths by which a program is found and finds what it needs: itself, the interpreter of a
/// script (of `env` in `#!/usr/bin/env NAME`, NAME too), the dynamic loader, and the libraries that
/// the loader names (`--list` of ld.so(8)). What it opens by itself when it runs is nobody's
/// knowledge. `name`: a path, or searched for by PATH. Throws stack::Error where there is none, it
/// is no program, or a library is missing.
[[nodiscard]] std::set<std::string> files_of_program(const std::string& name);

/// The path that files_of_program() has the program under.
[[nodiscard]] std::string path_of_program(const std::string& name);

/// Copies of `files` below `directory`, under their own paths: no links, dated as they are, and the
/// directories on the way dated 1970, so that the same files give the same layer.
void copy_program_files(const std::set<std::string>& files, const std::string& directory);

}  // namespace stack::image
