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

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// All digits, or nothing: "1000x" is a name (crun CVE-2026-30892). Ids beyond an int are refused:
/// -1 means "unchanged" to the kernel, which would leave root (CVE-2024-40635). So are those with
/// zeros in front, which some read as octal: "00" is nobody's way to ask for root.
std::optional<std::uint32_t> number(std::string_view text) {
    std::int32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!is_digits(text) || error != std::errc{} || end != text.data() + text.size() ||
        (text.size() > 1 && text.front() == '0'))
        return std::nullopt;
    return static_cast<std::uint32_t>(value);
}

/// The first line of a passwd(5) or group(5) file that `wanted` names, as fields. Digits are a
/// number, also where an image has a user of that name (CVE-2016-3697).
std::vector<std::string_view> find_entry(const std::string& file,
                                         std::string_view wanted,
                                         std::size_t fields) {
    const bool by_number = is_digits(wanted);
    const auto wanted_number = number(wanted);
    for (const auto line : cut(file, '\n')) {
        auto entry = cut(line, ':');
        if (entry.size() < fields)
            continue;
        if (by_number ? wanted_number && number(entry[2]) == wanted_number : entry[0] == wanted)
            return entry;
    }
    return {};
}

std::string read_file(const char* path) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    struct stat status {};

    if (fd < 0 || ::fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        ::close(fd);
        return {};
    }
    constexpr std::size_t largest = 4U << 20U;  // CVE-2026-47262
    std::string text;
    std::array<char, 16384> buffer{};
    for (ssize_t count = 0;
         text.size() < largest && (count = ::read(fd, buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    ::close(fd);
    if (text.size() >= largest)
        give_up(not_executable, std::string(path) + " of the container has 4 MiB or more", 0);
    return text;
}

void add(std::vector<std::uint32_t>& groups, std::uint32_t gid) {
    if (std::find(groups.begin(), groups.end(), gid) == groups.end())
        groups.push_back(gid);
}

std::optional<std::uint32_t> find_group(const std::string& group, std::string_view wanted) {
    if (is_digits(wanted))
        return number(wanted);
    const auto entry = find_entry(group, wanted, 3);
    return entry.empty() ? std::nullopt : number(entry[2]);
}

/// Fills in who `name` is; false where that cannot be said.
bool resolve_user(const std::string& name, const std::string& passwd, Identity& identity) {
    const auto entry = find_entry(passwd, name.empty() ? "0" : name, 7);
    if (entry.empty()) {
        const auto uid = number(name.empty() ? "0" : name);
        identity.uid = uid.value_or(0);
        return uid.has_value();
    }
    const auto uid = number(entry[2]);
    const auto gid = number(entry[3]);
    if (!uid || !gid)
        return false;
    identity.name = entry[0];
    identity.uid = *uid;
    identity.gid = *gid;
    identity.home = entry[5].empty() ? "/" : std::string(entry[5]);
    return true;
}

/// The groups that list `name` among their members.
void add_memberships(const std::string& group, const std::string& name, Identity& identity) {
    for (const auto line : cut(group, '\n')) {
        const auto fields = cut(line, ':');
        if (fields.size() < 4)
            continue;
        const auto members = cut(fields[3], ',');
        const auto gid = number(fields[2]);
        if (gid && std::find(members.begin(), members.end(), name) != members.end())
            add(identity.groups, *gid);
    }
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
    const std::string group_name = colon == std::string::npos ? "" : user.substr(colon + 1);
    if (!resolve_user(name, passwd, identity)) {
        problem = "user " + name + " is not in the container's /etc/passwd";
        return false;
    }
    if (!group_name.empty()) {
        const auto gid = find_group(group, group_name);
        if (!gid) {
            problem = "group " + group_name + " is not in the container's /etc/group";
            return false;
        }
        identity.gid = *gid;
    }
    // The primary group counts (CVE-2022-36109); memberships do unless a group was named.
    add(identity.groups, identity.gid);
    if (group_name.empty() && !identity.name.empty())
        add_memberships(group, identity.name, identity);
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

Identity look_up(const std::string& user, const std::vector<std::string>& more_groups, int code) {
    Identity identity;
    std::string problem;
    if (!resolve(user,
                 more_groups,
                 read_file("/etc/passwd"),
                 read_file("/etc/group"),
                 identity,
                 problem))
        give_up(code, problem, 0);
    return identity;
}

}  // namespace stack::shim
