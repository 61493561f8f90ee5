#include "tests/loader/project.h"

#include <gtest/gtest.h>

namespace stack::test {

Project& Project::file(const std::string& name, std::string text) {
    texts_[name.starts_with('/') ? name : "/p/" + name] = std::move(text);
    return *this;
}

Project& Project::variable(const std::string& name, const std::string& value) {
    input.environment[name] = value;
    return *this;
}

LoadResult Project::load() const {
    LoadInput whole = input;
    whole.read_file = [this](const std::string& path) -> std::optional<std::string> {
        const auto found = texts_.find(path);
        return found == texts_.end() ? std::nullopt : std::optional(found->second);
    };
    return stack::load(whole);
}

Stack Project::stack() const {
    LoadResult result = load();
    EXPECT_TRUE(result.stack) << printed(result);
    return result.stack.value_or(Stack{});
}

std::string Project::complaints() const {
    return printed(load());
}

std::string printed(const LoadResult& result) {
    const auto source = [](const std::string& file, const void* context) {
        const auto& sources = *static_cast<const std::map<std::string, std::string>*>(context);
        const auto found = sources.find(file);
        return found == sources.end() ? std::string() : found->second;
    };
    return to_text(result.diagnostics, source, &result.sources);
}

}  // namespace stack::test
