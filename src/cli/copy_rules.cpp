#include "cli/copy_rules.h"

#include <stack/error.h>

namespace stack::cli {

CopyEnd parse_copy_end(const std::string& text) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || colon == 0 || text.front() == '/' || text.front() == '.')
        return {std::nullopt, text};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

SplitPath split_path(const std::string& path) {
    const auto end = path.find_last_not_of('/');
    if (end == std::string::npos)
        return {path.empty() ? "" : "/", "", true};
    const bool slash = end + 1 < path.size();
    const std::string whole = path.substr(0, end + 1);
    const auto before = whole.rfind('/');
    const std::string last = before == std::string::npos ? whole : whole.substr(before + 1);
    if (last == "." || last == "..")
        return {whole, "", true};
    if (before == std::string::npos)
        return {"", last, slash};
    return {before == 0 ? "/" : whole.substr(0, before), last, slash};
}

CopyTarget copy_target(PathKind source,
                       const std::string& source_name,
                       PathKind destination_kind,
                       const std::string& destination) {
    if (destination_kind == PathKind::directory)
        return {destination, source_name};
    const SplitPath place = split_path(destination);
    if (destination_kind == PathKind::none) {
        if (source != PathKind::directory && place.is_directory)
            throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                        "the destination directory " + destination + " does not exist");
        return {place.parent, place.last};
    }
    if (destination_kind == PathKind::special)
        throw Error("cannot copy onto " + destination +
                    ": it is a device, a FIFO or a socket, which a copy would take the place of "
                    "(`cp … - | tar xO` writes a file's content wherever it is sent)");
    if (source == PathKind::directory)
        throw Error(std::make_error_code(std::errc::not_a_directory),
                    "cannot copy a directory onto the file " + destination);
    return {place.parent, place.last};
}

}  // namespace stack::cli
