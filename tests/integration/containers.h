#pragma once

// What the tests of single containers share: `stack container` and what is left of them.

#include "tests/integration/world.h"

#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>

namespace stack::test {

/// They are made in a directory with nothing in it, and are gone when the test is over.
class Containers : public testing::Test {
  protected:
    void SetUp() override {
        for (const auto& left : std::filesystem::directory_iterator(here_))
            std::filesystem::remove_all(left);
        import_busybox(stack_);
    }

    void TearDown() override {
        std::vector<std::string> words{"rm", "-f", "-v"};
        std::istringstream ids(con({"ls", "-aq"}).out);
        for (std::string id; std::getline(ids, id);)
            words.push_back(id);
        if (words.size() > 3) {
            EXPECT_EQ(con(words).status, 0);
        }
        expect_nothing_left(stack_);
    }

    /// `stack container WORDS`.
    [[nodiscard]] Result con(std::vector<std::string> words, const std::string& input = {}) const {
        words.insert(words.begin(), "container");
        return stack_.run(std::move(words), {}, input);
    }

    std::string must(std::vector<std::string> words) const {
        words.insert(words.begin(), "container");
        return stack_.must(std::move(words));
    }

    [[nodiscard]] nlohmann::json seen(const std::string& name) const {
        std::istringstream lines(must({"ls", "-a", "--no-trunc", "--format", "json"}));
        for (std::string line; std::getline(lines, line);)
            if (auto json = nlohmann::json::parse(line); json["Name"] == name)
                return json;
        return nlohmann::json::object();
    }

    [[nodiscard]] bool reaches(const std::string& name, const std::string& state) const {
        return eventually([&] { return seen(name)["State"] == state; });
    }

    StackProgram stack_;
    std::filesystem::path here_ = stack_.directory();
};

}  // namespace stack::test
