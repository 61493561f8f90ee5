#include "sys/directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::sys {

std::vector<DirectoryEntry> entries_in(const Fd& directory) {
    alignas(dirent64) std::array<char, 32768> buffer;  // not cleared: most directories are small
    std::vector<DirectoryEntry> entries;
    for (;;) {
        const auto size = ::getdents64(directory.get(), buffer.data(), buffer.size());
        if (size == 0 || (size < 0 && errno == ENOENT))  // that one has been removed meanwhile
            break;
        check(size, "list a directory");
        for (ssize_t at = 0; at < size;) {
            const auto* entry = reinterpret_cast<const dirent64*>(&buffer[std::size_t(at)]);
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..")
                entries.push_back({std::string(name), mode_t(DTTOIF(entry->d_type))});
            at += entry->d_reclen;
        }
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return a.name < b.name;
    });
    return entries;
}

}  // namespace stack::sys
