#pragma once

#include <string>

namespace stack::shim {

/// Copies what is in the directory `path` of the container into the directory open as `to`, with
/// modes and owners (mount option tmpcopyup).
void copy_up(int root, const std::string& path, int to);

}  // namespace stack::shim
