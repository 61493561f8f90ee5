// golden/NAME.yaml, a file with mistakes, and golden/NAME.txt, what is said of it. After a change
// of the words: STACK_REWRITE_GOLDEN=1 build/debug/loader_test, and read the difference as a user.

#include "tests/loader/project.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// The file under the name that a user gave it; golden/NAME.KEY.yaml beside it as /p/KEY.yaml.
Project project_of(const fs::path& path) {
    Project project(text_of(path));
    const std::string stem = path.stem().string() + ".";
    for (const auto& entry : fs::directory_iterator(path.parent_path()))
        if (const std::string name = entry.path().filename().string();
            name.starts_with(stem) && name.ends_with(".yaml") &&
            name.size() > stem.size() + std::string("yaml").size())
            project.file(name.substr(stem.size()), text_of(entry.path()));
    return project;
}

TEST(Golden, Diagnostics) {
    const bool rewrite = std::getenv("STACK_REWRITE_GOLDEN") != nullptr;
    int count = 0;
    for (const auto& entry : fs::directory_iterator(STACK_SOURCE_DIR "/tests/loader/golden")) {
        const fs::path& path = entry.path();
        if (path.extension() != ".yaml" || path.stem().has_extension())
            continue;
        ++count;
        const std::string said = project_of(path).complaints();
        const fs::path expected = fs::path(path).replace_extension(".txt");
        if (rewrite)
            std::ofstream(expected) << said;
        else
            EXPECT_EQ(said, text_of(expected)) << path;
    }
    EXPECT_GE(count, 120);
}

TEST(Golden, EditorsGetThePlacesAndTheWords) {
    const auto result =
        Project("services:\n  web: {image: x, restrat: always}\n  web: {image: y}\n").load();
    const auto said = nlohmann::json::parse(to_json_text(result.diagnostics));
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(said[0]["severity"], "error");
    EXPECT_EQ(said[0]["code"], "duplicate-key");
    EXPECT_EQ(said[0]["file"], "/p/compose.yaml");
    EXPECT_EQ(said[0]["line"], 3);
    EXPECT_EQ(said[0]["column"], 3);
    EXPECT_EQ(said[0]["length"], 3);
    EXPECT_EQ(said[0]["notes"][0]["line"], 2);
    const auto unknown = nlohmann::json::parse(to_json_text(
        Project("services: {web: {image: x, tty: perhaps, cgroup: mine}}\n").load().diagnostics));
    EXPECT_EQ(unknown[1]["hint"], "one of host, private");
    EXPECT_EQ(unknown[1]["expected"], (nlohmann::json{"host", "private"}));
}

}  // namespace
}  // namespace stack::test
