#include "loader/files.h"

#include <stack/error.h>

#include "loader/paths.h"

namespace stack::loader {

Session::Session(const LoadInput& of)
    : input(of), environment(of.environment), reporter(result.diagnostics), budget(reporter) {}

std::string Session::home() const {
    const auto found = environment.find("HOME");
    return found == environment.end() ? "" : found->second;
}

std::string Session::absolute(const std::string& path, const std::string& directory) const {
    return loader::absolute(path, directory, home());
}

std::optional<std::string> read_or_complain(const ReadFile& read_file,
                                            const std::string& path,
                                            const FindLocation& from,
                                            Reporter& reporter) {
    bool is_too_large = false;
    try {
        auto text = read_file(path);
        is_too_large = text && text->size() > largest_file;
        if (!is_too_large)
            return text;
    } catch (const Error& error) {
        is_too_large = error.code() == std::errc::file_too_large;
        if (error.code() == std::errc::is_a_directory)
            reporter.error(from(),
                           "unreadable",
                           path + " is a directory",
                           "name a file; there may be one in it");
        else if (!is_too_large)
            reporter.error(from(), "unreadable", error.what());
    }
    if (is_too_large)
        reporter.error(from(), "too-large", "the file " + path + " is larger than 16 MiB");
    return "";
}

const std::string* Files::read_if_there(const std::string& path, const Location& from) {
    return read_if_there(path, [&from] { return from; });
}

const std::string* Files::read_if_there(const std::string& path, const FindLocation& from) {
    auto& sources = session_.result.sources;
    if (const auto known = sources.find(path); known != sources.end())
        return &known->second;
    auto text = read_or_complain(session_.input.read_file, path, from, session_.reporter);
    if (!text)
        return nullptr;
    return &(sources[path] = std::move(*text));
}

const std::string* Files::read(const std::string& path, const Location& from) {
    const std::string* text = read_if_there(path, from);
    if (text == nullptr)
        session_.reporter.error(from, "no-file", "the file " + path + " does not exist");
    return text;
}

bool Files::is_here(const std::string& path, const Location& from) {
    if (!is_remote(path))
        return true;
    session_.reporter.error(from,
                            "unsupported",
                            "stack files are not fetched from elsewhere: " + path,
                            "get it yourself, and name the copy");
    return false;
}

const std::vector<Node>& Files::documents_of(const std::string& path) {
    const auto [known, is_new] = parsed_.try_emplace(path);
    const std::string& text = session_.result.sources[path];
    if (is_new && session_.budget.spend({0, text.size(), 0}, start_of(path)))
        known->second = parse_yaml(known->first, text, session_.reporter, session_.budget);
    return known->second;
}

/// Parsing paid for the first use of a file, each further one pays for itself.
std::vector<Node> Files::values_of(const std::string& path) {
    std::vector<Node> documents = documents_of(path);
    const bool again = !used_.insert(path).second;
    for (auto& document : documents) {
        if (again && !session_.budget.spend(extent_of(document), start_of(path)))
            return {};
        if (session_.input.interpolate)
            interpolate_tree(document,
                             variables_of(session_.environment),
                             warned_,
                             session_.reporter,
                             session_.budget);
    }
    return documents;
}

/// Paid for each time it is used.
std::vector<Assignment> Files::assignments_of(const std::string& file,
                                              const std::string& text,
                                              const Variables& above,
                                              const Variables& below,
                                              bool raw) {
    const Location at{file, 0, 0, 1};
    if (!session_.budget.spend({0, text.size(), 0}, at))
        return {};
    auto assignments = parse_dotenv(file, text, above, below, raw, session_.reporter);
    Extent extent;
    for (const auto& [name, value] : assignments)
        extent.text += name.size() + value.value_or("").size();
    return session_.budget.spend(extent, at) ? assignments : std::vector<Assignment>();
}

Place Files::start_of(const std::string& path) const {
    return {&session_.result.sources.find(path)->first, 1, 1, 1};
}

Variables variables_of(const StringMap& environment) {
    return [&environment](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
}

std::string directory_of(const std::string& file) {
    const auto slash = file.find_last_of('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

}  // namespace stack::loader
