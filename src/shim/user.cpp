#include "shim/user.h"

#include "shim/fault.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::shim {
namespace {

std::vector<std::string_view> cut(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos)
            return parts;
        text.remove_prefix(end + 1);
    }
}

/// All digits, or nothing: "1000x" is a name (crun CVE-2026-30892).
std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// The line of a passwd(5) or group(5) file whose name or number is `wanted`, as fields.
std::vector<std::string_view> find_entry(const std::string& file,
                                         std::string_view wanted,
                                         std::size_t fields) {
    const auto wanted_number = number(wanted);
    std::vector<std::string_view> by_number;
    for (const auto line : cut(file, '\n')) {
        auto entry = cut(line, ':');
        if (entry.size() < fields)
            continue;
        if (entry[0] == wanted)
            return entry;
        if (by_number.empty() && wanted_number && number(entry[2]) == wanted_number)
            by_number = std::move(entry);
    }
    return by_number;
}

std::string read_file(const char* path) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    struct stat status {};

    if (fd < 0 || ::fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        ::close(fd);
        return {};
    }
    constexpr std::size_t largest = 4U << 20U;
    std::string text;
    std::array<char, 16384> buffer{};
    for (ssize_t count = 0;
         text.size() < largest && (count = ::read(fd, buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    ::close(fd);
    return text;
}

void add(std::vector<std::uint32_t>& groups, std::uint32_t gid) {
    if (std::find(groups.begin(), groups.end(), gid) == groups.end())
        groups.push_back(gid);
}

std::optional<std::uint32_t> find_group(const std::string& group, std::string_view wanted) {
    const auto entry = find_entry(group, wanted, 3);
    if (!entry.empty())
        return number(entry[2]);
    return number(wanted);
}

}  // namespace

bool resolve(const std::string& user,
             const std::vector<std::string>& more_groups,
             const std::string& passwd,
             const std::string& group,
             Identity& identity,
             std::string& problem) {
    const auto colon = user.find(':');
    const std::string name = user.substr(0, colon);
    const auto entry = find_entry(passwd, name.empty() ? "0" : name, 7);
    if (!entry.empty()) {
        identity.name = entry[0];
        identity.uid = number(entry[2]).value_or(0);
        identity.gid = number(entry[3]).value_or(0);
        identity.home = entry[5].empty() ? "/" : std::string(entry[5]);
    } else if (const auto uid = number(name)) {
        identity.uid = *uid;
    } else if (!name.empty()) {
        problem = "user " + name + " is not in the container's /etc/passwd";
        return false;
    }
    if (colon != std::string::npos) {
        const auto gid = find_group(group, user.substr(colon + 1));
        if (!gid) {
            problem = "group " + user.substr(colon + 1) + " is not in the container's /etc/group";
            return false;
        }
        identity.gid = *gid;
    } else if (!identity.name.empty()) {
        for (const auto line : cut(group, '\n')) {
            const auto fields = cut(line, ':');
            if (fields.size() < 4)
                continue;
            const auto members = cut(fields[3], ',');
            const auto gid = number(fields[2]);
            if (gid && std::find(members.begin(), members.end(), identity.name) != members.end())
                add(identity.groups, *gid);
        }
    }
    add(identity.groups, identity.gid);  // CVE-2022-36109: the primary group counts
    for (const auto& more : more_groups) {
        const auto gid = find_group(group, more);
        if (!gid) {
            problem = "group " + more + " is not in the container's /etc/group";
            return false;
        }
        add(identity.groups, *gid);
    }
    return true;
}

Identity look_up(const std::string& user, const std::vector<std::string>& more_groups) {
    Identity identity;
    std::string problem;
    if (!resolve(user,
                 more_groups,
                 read_file("/etc/passwd"),
                 read_file("/etc/group"),
                 identity,
                 problem))
        give_up(not_executable, problem, 0);
    return identity;
}

}  // namespace stack::shim
