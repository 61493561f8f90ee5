#include "cli/here.h"

#include <stack/error.h>

#include "sys/file.h"

namespace stack::cli {

std::string here(const std::string& path) {
    if (path.starts_with('/'))
        return sys::absolute_path(path, "/");
    const auto directory = find_here();
    if (!directory)
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "the current directory, from which \"" + path +
                        "\" is meant, does not exist any more: `cd` to one that does, or say the "
                        "whole path");
    return sys::absolute_path(path, *directory);
}

std::optional<std::string> find_here() {
    return sys::real_path(".");
}

}  // namespace stack::cli
