#include "loader/seccomp.h"

#include "model/seccomp_profile.h"

#include <algorithm>
#include <string_view>

namespace stack::loader {
namespace {

constexpr std::string_view way_out =
    "leave it out for the default profile, or write seccomp=unconfined for none";

/// The option that counts: the last one of its name.
const Node* seccomp_option(const Node& root, const std::string& service) {
    const Node* node = &root;
    for (const auto& key : {std::string("services"), service, std::string("security_opt")})
        if (node = node->find(key); node == nullptr)
            return nullptr;
    const Node* last = nullptr;
    for (const auto& item : node->items)
        if (item.value.substr(0, item.value.find_first_of("=:")) == "seccomp")
            last = &item;
    return last;
}

/// Where the byte at `offset` stands.
Location place_in(const std::string& file, std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, std::min(offset, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n');
    const auto column = before.size() - (before.rfind('\n') + 1);  // npos + 1 is 0
    return {file, static_cast<int>(line) + 1, static_cast<int>(column) + 1, 1};
}

/// The text of the profile, where it is one.
std::string checked(const std::string& path,
                    const std::string& text,
                    const Node& option,
                    Reporter& reporter) {
    const auto profile = parse_seccomp_profile(text);
    if (profile)
        return text;
    const Malformed& problem = profile.error();
    const std::string sentence = "the seccomp profile " + path + ": " + problem.message;
    if (problem.offset != 0)
        reporter.error(place_in(path, text, problem.offset),
                       "malformed",
                       sentence,
                       "",
                       {{"it is named here", option.at}});
    else
        reporter.error(option.at, "malformed", sentence, std::string(way_out));
    return {};
}

}  // namespace

std::string profile_path_of(const std::string& security_option) {
    const auto separator = security_option.find_first_of("=:");
    if (separator == std::string::npos || security_option.substr(0, separator) != "seccomp")
        return {};
    std::string value = security_option.substr(separator + 1);
    return value == "unconfined" || value == "builtin" ? "" : value;
}

void read_seccomp_profiles(Session& session, Files& files, Stack& stack, const Node& root) {
    for (auto& [name, service] : stack.services) {
        const Node* option = seccomp_option(root, name);
        const std::string path = option == nullptr ? "" : profile_path_of(option->value);
        if (path.empty() || session.reporter.is_full())
            continue;
        const std::string* text = files.read_if_there(path, option->at);
        if (text == nullptr)
            session.reporter.error(
                option->at,
                "no-file",
                "the seccomp profile " + path + " of service `" + name + "` does not exist",
                std::string(way_out));
        else if (session.budget.spend({0, text->size(), 0}, option->at))
            service.seccomp_profile = checked(path, *text, *option, session.reporter);
    }
}

}  // namespace stack::loader
