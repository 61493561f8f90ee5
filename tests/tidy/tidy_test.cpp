// The rules of the source that a compiler does not know (README "Code map"), as tests.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

const fs::path root = STACK_SOURCE_DIR;

struct Source {
    std::string path;  // from the root
    std::vector<std::string> lines;
};

std::vector<Source> sources(const std::vector<std::string>& folders) {
    std::vector<Source> list;
    for (const auto& folder : folders)
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            const auto extension = entry.path().extension();
            if (extension != ".cpp" && extension != ".h")
                continue;
            Source source{fs::relative(entry.path(), root).string(), {}};
            std::ifstream file(entry.path());
            for (std::string line; std::getline(file, line);)
                source.lines.push_back(line);
            list.push_back(std::move(source));
        }
    return list;
}

/// "engine/network" for src/engine/network/x.cpp and for the include "engine/network/x.h".
std::string module_of(std::string path) {
    if (path.starts_with("src/"))
        path.erase(0, 4);
    const auto last = path.find_last_of('/');
    return last == std::string::npos ? "" : path.substr(0, last);
}

/// What a module may include beside itself and include/stack.
const std::map<std::string, std::set<std::string>> allowed{
    {"base", {}},
    {"sys", {"base"}},
    {"model", {"base"}},
    {"loader", {"base", "model"}},
    {"plan", {"base", "model"}},
    {"engine/cgroup", {"base", "sys", "model"}},
    {"engine/network", {"base", "sys", "model"}},
    {"engine/storage", {"base", "sys", "model"}},
    {"engine/image", {"base", "sys", "model"}},
    {"shim", {"base", "sys"}},
    {"dns", {"base", "sys"}},
    {"fetch", {"base", "sys", "model", "engine/image"}},
    {"engine/runtime",
     {"base", "sys", "model", "engine/cgroup", "engine/network", "engine/storage", "shim"}},
    {"engine/build",
     {"base",
      "sys",
      "model",
      "engine/cgroup",
      "engine/network",
      "engine/image",
      "engine/storage",
      "engine/runtime"}},
    {"engine",
     {"base",
      "sys",
      "model",
      "engine/cgroup",
      "engine/network",
      "engine/image",
      "engine/storage",
      "engine/runtime",
      "engine/build"}},
    {"supervise", {"base", "sys", "model", "plan"}},
    {"oci", {"base", "sys", "model", "engine/cgroup", "engine/runtime", "shim"}},
    {"cli",
     {"base",
      "sys",
      "model",
      "engine",
      "engine/build",
      "engine/cgroup",
      "engine/network",
      "engine/image",
      "engine/storage",
      "engine/runtime",
      "supervise",
      "shim"}},
};

TEST(Tidy, AnIncludeGoesDownAFloorNeverUpOrSideways) {
    for (const auto& source : sources({"src"})) {
        const std::string module = module_of(source.path);
        const auto rules = allowed.find(module);
        ASSERT_NE(rules, allowed.end())
            << source.path << " is in a module that the table does not have";
        for (const auto& line : source.lines) {
            constexpr std::string_view include = "#include \"";
            if (!line.starts_with(include))
                continue;
            const std::string target = module_of(
                line.substr(include.size(), line.find('"', include.size()) - include.size()));
            EXPECT_TRUE(target == module || rules->second.contains(target))
                << source.path << ": " << line;
        }
    }
}

TEST(Tidy, LibrariesStayWhereTheyBelong) {
    const std::map<std::string, std::vector<std::string>> homes{
        {"<yaml-cpp/",
         {"src/engine/runtime/cdi_file.cpp",
          "src/loader/node.cpp",
          "src/loader/yaml_text.cpp"}},
        {"<spdlog/", {"src/base/log.cpp"}},
        {"<archive.h>", {"src/fetch/untar.cpp"}},
        {"<curl/", {"src/fetch/http.cpp", "src/fetch/main.cpp"}},
        {"<CLI/", {"src/cli/cli11.h"}},
    };
    for (const auto& source : sources({"src", "include"}))
        for (const auto& line : source.lines)
            for (const auto& [library, files] : homes)
                if (line.starts_with("#include " + library)) {
                    EXPECT_NE(std::find(files.begin(), files.end(), source.path), files.end())
                        << source.path << ": " << line;
                }
}

TEST(Tidy, FilesAndLinesAreShort) {
    constexpr std::size_t longest_file = 800;
    constexpr std::size_t longest_line =
        140;  // clang-format holds code to 100; a sentence may be longer
    for (const auto& source : sources({"src", "include", "tests"})) {
        EXPECT_LE(source.lines.size(), longest_file)
            << source.path << ": a file is one noun; this one has several";
        for (std::size_t i = 0; i < source.lines.size(); ++i)
            EXPECT_LE(source.lines[i].size(), longest_line) << source.path << ":" << i + 1;
    }
}

TEST(Tidy, HeadersAreIncludedOnce) {
    for (const auto& source : sources({"src", "include", "tests"}))
        if (source.path.ends_with(".h")) {
            EXPECT_TRUE(!source.lines.empty() && source.lines.front() == "#pragma once")
                << source.path;
        }
}

TEST(Tidy, NothingIsLeftForLater) {
    const std::vector<std::string> words{
        std::string("TO") + "DO", std::string("FIX") + "ME", "asio::detached", "usleep("};
    for (const auto& source : sources({"src", "include", "tests"}))
        for (const auto& line : source.lines)
            for (const auto& word : words)
                if (!source.path.starts_with("tests/tidy")) {
                    EXPECT_EQ(line.find(word), std::string::npos) << source.path << ": " << line;
                }
}

}  // namespace
