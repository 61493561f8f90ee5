#include "engine/build/ownership.h"

#include <stack/error.h>

#include "base/text.h"
#include "sys/tree.h"

#include <charconv>

namespace stack::build {
namespace {

constexpr std::size_t longest_file = 16U << 20U;

/// The fields of the line of a colon-separated file that begins with `name`.
std::optional<std::vector<std::string>> find_line(const sys::Fd& root,
                                                  const char* file,
                                                  const std::string& name) {
    for (const auto& line : split(sys::read_in_root(root, file, longest_file).value_or(""), '\n')) {
        auto fields = split(line, ':');
        if (fields.size() >= 4 && fields[0] == name)
            return fields;
        if (fields.size() == 3 && fields[0] == name)
            return fields;
    }
    return std::nullopt;
}

std::uint32_t id_in(const std::vector<std::string>& fields,
                    std::size_t index,
                    const std::string& name) {
    const auto id =
        index < fields.size() ? parse_number<std::uint32_t>(fields[index]) : std::nullopt;
    if (!id)
        throw Error("the entry of `" + name +
                    "` in the stage's passwd or group file has no number");
    return *id;
}

/// What is added, removed or set by one clause such as `go=rX`.
class Clause {
  public:
    explicit Clause(std::string_view text) : text_(text) {}

    Expected<std::uint32_t> apply(std::uint32_t mode, bool directory) {
        const std::uint32_t who = read_who();
        if (text_.empty())
            return malformed("an operator + - or = is missing");
        while (!text_.empty()) {
            const char operation = text_.front();
            if (operation != '+' && operation != '-' && operation != '=')
                return malformed(std::string("`") + operation + "` is not an operator + - or =");
            text_.remove_prefix(1);
            const auto bits = read_rights(mode, directory);
            if (!bits)
                return bits;
            const std::uint32_t affected = *bits & (who | special(who));
            if (operation == '=')
                mode &= ~(who | (directory ? 0U : special(who)));
            mode = operation == '-' ? mode & ~affected : mode | affected;
        }
        return mode;
    }

  private:
    static std::uint32_t special(std::uint32_t who) {
        return ((who & 0700U) != 0 ? 04000U : 0U) | ((who & 0070U) != 0 ? 02000U : 0U) |
               ((who & 0007U) != 0 ? 01000U : 0U);
    }

    std::uint32_t read_who() {
        std::uint32_t who = 0;
        for (; !text_.empty(); text_.remove_prefix(1)) {
            if (text_.front() == 'u')
                who |= 0700U;
            else if (text_.front() == 'g')
                who |= 0070U;
            else if (text_.front() == 'o')
                who |= 0007U;
            else if (text_.front() == 'a')
                who |= 0777U;
            else
                break;
        }
        return who == 0 ? 0777U : who;
    }

    Expected<std::uint32_t> read_rights(std::uint32_t mode, bool directory) {
        std::uint32_t bits = 0;
        for (; !text_.empty(); text_.remove_prefix(1)) {
            const char c = text_.front();
            if (c == '+' || c == '-' || c == '=')
                break;
            if (c == 'r')
                bits |= 0444U;
            else if (c == 'w')
                bits |= 0222U;
            else if (c == 'x' || (c == 'X' && (directory || (mode & 0111U) != 0)))
                bits |= 0111U;
            else if (c == 's')
                bits |= 06000U;
            else if (c == 't')
                bits |= 01000U;
            else if (c == 'u' || c == 'g' || c == 'o')
                bits |= ((mode >> (c == 'u' ? 6U : c == 'g' ? 3U : 0U)) & 7U) * 0111U;
            else if (c != 'X')
                return malformed(std::string("`") + c + "` is not a right");
        }
        return bits;
    }

    std::string_view text_;
};

}  // namespace

Owner find_owner(const sys::Fd& root, const std::string& text) {
    const auto [user, group] = split_once(text, ':');
    Owner owner;
    if (const auto number = parse_number<std::uint32_t>(user)) {
        owner = {*number, *number};
    } else {
        const auto entry = find_line(root, "etc/passwd", user);
        if (!entry)
            throw Error("there is no user `" + user + "` in the stage's /etc/passwd");
        owner = {id_in(*entry, 2, user), id_in(*entry, 3, user)};
    }
    if (group.empty())
        return owner;
    if (const auto number = parse_number<std::uint32_t>(group)) {
        owner.gid = *number;
        return owner;
    }
    const auto entry = find_line(root, "etc/group", group);
    if (!entry)
        throw Error("there is no group `" + group + "` in the stage's /etc/group");
    owner.gid = id_in(*entry, 2, group);
    return owner;
}

Expected<std::uint32_t> changed_mode(std::string_view text, std::uint32_t mode, bool directory) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
    if (error == std::errc{} && end == text.data() + text.size()) {
        if (number > 07777)
            return malformed("the mode `" + std::string(text) + "` is more than 07777");
        return number;
    }
    for (const auto& clause : split(text, ',')) {
        const auto changed = Clause(clause).apply(mode, directory);
        if (!changed)
            return malformed("`" + std::string(text) +
                             "` is not a mode: " + changed.error().message);
        mode = *changed;
    }
    return mode;
}

}  // namespace stack::build
