#include "loader/project_name.h"

#include "loader/validate.h"

namespace stack::loader {
namespace {

std::string base_name(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
}

/// The last `name:` of the files; what is wrong with it is said when it is read for good.
std::string name_in(const Session& session, Files& files, const Strings& paths) {
    std::string last;
    for (const auto& path : paths)
        for (const auto& document : files.documents_of(path))
            if (const Node* name = document.find("name"); name != nullptr) {
                std::set<std::string> unset;
                if (const auto value =
                        interpolate(name->value, variables_of(session.environment), unset))
                    last = normalized_name(*value);
            }
    return last;
}

}  // namespace

std::string early_name(const Session& session, Files& files, const Strings& paths) {
    if (!session.input.project_name.empty())
        return session.input.project_name;
    const std::string name = name_in(session, files, paths);
    return name.empty() ? normalized_name(base_name(session.input.project_directory)) : name;
}

void choose_name(Session& session, Stack& stack, const Node& root) {
    const std::string& wanted = session.input.project_name;
    if (!wanted.empty()) {
        if (normalized_name(wanted) != wanted)
            session.reporter.error(
                {"", 0, 0, 1},
                "project-name",
                "\"" + wanted + "\" is no name for a project",
                "lower-case letters, digits, '-' and '_', beginning with a letter or digit");
        stack.name = wanted;
        return;
    }
    stack.name = normalized_name(stack.name.empty() ? base_name(session.input.project_directory)
                                                    : stack.name);
    if (stack.name.empty())
        session.reporter.error(
            root.at, "project-name", "the project's name is empty", "give one with `name:` or -p");
}

}  // namespace stack::loader
