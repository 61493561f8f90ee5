// Whatever a file says, loading ends soon, within bounds, and names the limit that was met.

#include "tests/loader/project.h"

#include <ctime>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// The code of the first error. Fails where the load took more of the processor than anybody waits
/// for; the bound is wide because sanitizers make everything slow, and some machines are.
std::string first_error(const Project& project) {
    const std::clock_t begin = std::clock();
    const LoadResult result = project.load();
    static_cast<void>(printed(result));
    EXPECT_LT((std::clock() - begin) / CLOCKS_PER_SEC, 60);
    for (const auto& diagnostic : result.diagnostics)
        if (diagnostic.severity == Severity::error)
            return diagnostic.code;
    return {};
}

std::string repeated(const std::string& text, int times) {
    std::string whole;
    for (int i = 0; i < times; ++i)
        whole += text;
    return whole;
}

/// `line` for 0 … count-1, with `#` replaced by the number.
std::string numbered(const std::string& line, int count) {
    std::string whole;
    for (int i = 0; i < count; ++i)
        for (const char c : line)
            whole += c == '#' ? std::to_string(i) : std::string(1, c);
    return whole;
}

const std::string web = "services: {web: {image: nginx}}\n";

TEST(Bounds, FilesThatEachIncludeTheNextOneTwice) {
    Project project;
    for (int i = 0; i < 40; ++i) {
        const std::string next = i + 1 < 40 ? std::to_string(i + 1) + ".yaml" : "end.yaml";
        project.file(i == 0 ? "compose.yaml" : std::to_string(i) + ".yaml",
                     "include: [" + next + ", " + next + "]\n");
    }
    project.file("end.yaml", web);
    EXPECT_EQ(first_error(project), "too-many-files");
}

TEST(Bounds, FilesThatIncludeEachOtherInACircle) {
    const auto project = Project("include: [a.yaml]\n").file("a.yaml", "include: [compose.yaml]\n");
    EXPECT_EQ(first_error(project), "circular-include");
}

TEST(Bounds, ServicesThatExtendEachOther) {
    EXPECT_EQ(first_error(Project("services:\n  a: {extends: b}\n  b: {extends: a}\n")),
              "circular-extends");
    std::string forward = "services:\n";
    for (int i = 0; i < 5000; ++i)
        forward += "  s" + std::to_string(i) + ": {extends: s" + std::to_string(i + 1) + "}\n";
    EXPECT_EQ(first_error(Project(forward + "  s5000: {image: x}\n")), "too-deep");
    std::string growing = "services:\n  s0: {image: x, expose: ['1']}\n";
    for (int i = 0; i < 5000; ++i)
        growing += "  s" + std::to_string(i + 1) + ": {extends: s" + std::to_string(i) +
                   ", expose: ['" + std::to_string(i + 2) + "']}\n";
    EXPECT_EQ(first_error(Project(growing)), "too-large");
}

TEST(Bounds, AliasesThatMultiply) {
    std::string bomb = "x-a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        bomb += "x-a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last +
                repeated(", " + last, 8) + "]\n";
    }
    EXPECT_EQ(first_error(Project(bomb + web)), "too-large");
    EXPECT_EQ(first_error(Project("x-a: &a " + std::string(1 << 20, 'x') + "\nx-b: [*a" +
                                  repeated(", *a", 1000) + "]\n" + web)),
              "too-large");
}

TEST(Bounds, AliasesThatDeepen) {
    std::string deep = "x-a0: &a0 [x]\n";
    for (int i = 1; i < 3000; ++i)
        deep += "x-a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[*a" +
                std::to_string(i - 1) + "]]]\n";
    EXPECT_EQ(first_error(Project(deep + web)), "too-deep");
}

TEST(Bounds, DeepNesting) {
    for (const auto* opening : {"[", "{a: ", "- ", "? ", "!t "})
        EXPECT_NE(first_error(Project("x-a:\n  " + repeated(opening, 100'000) + "\n" + web)), "")
            << opening;
}

TEST(Bounds, AnchorsInsideAnchors) {
    std::string nested;
    for (int i = 0; i < 90; ++i)
        nested += "&a" + std::to_string(i) + " [";
    EXPECT_EQ(first_error(Project("x-a: " + nested + numbered("#,", 20'000) + std::string(90, ']') +
                                  "\n" + web)),
              "too-large");
}

TEST(Bounds, BigMappingsAndLists) {
    EXPECT_EQ(first_error(Project("x-a:\n" + numbered("  k#: 1\n", 100'000) + web)), "");
    EXPECT_EQ(first_error(Project("services:\n  web:\n    image: x\n    cap_add:\n" +
                                  numbered("      - C#\n", 50'000))),
              "");
    Project two("services:\n  web:\n    image: x\n    labels:\n" +
                numbered("      k#: 1\n", 40'000));
    two.file("over.yaml",
             "services:\n  web:\n    labels:\n" + numbered("      k#: !reset\n", 40'000));
    two.input.files.emplace_back("/p/over.yaml");
    EXPECT_EQ(first_error(two), "");
}

TEST(Bounds, BigFiles) {
    EXPECT_EQ(first_error(Project("# " + std::string(17U << 20U, 'x') + "\n" + web)), "too-large");
    EXPECT_EQ(first_error(Project("x-a: [" + repeated("1,", 700'000) + "]\n" + web)), "too-large");
}

TEST(Bounds, BracketsOnOneLine) {
    for (const auto* mark : {"[", "{", "[]", "{a: ", "!t ", "&a "})
        EXPECT_EQ(first_error(Project("x-a: " + repeated(mark, 600'000) + "\n" + web)), "too-large")
            << mark;
}

TEST(Bounds, ManyDocuments) {
    EXPECT_EQ(first_error(Project(repeated("---\n", 500'000) + web)), "too-large");
    EXPECT_EQ(first_error(Project(repeated("--- 'a'\n", 50'000) + "---\n" + web)), "wrong-type");
}

TEST(Bounds, LongLines) {
    std::string line = "x-a: [";
    for (int i = 0; i < 100'000; ++i)
        line += "é, 'x', ";
    EXPECT_EQ(first_error(Project(line + "]\n" + web)), "");
    EXPECT_EQ(first_error(Project("x-a: |\n" + repeated("  a b: c\n", 300'000) + web)), "");
}

TEST(Bounds, EnvironmentFilesThatPutAVariableIntoItself) {
    const std::string doubling = "A=xxxxxxxxxx\n" + repeated("A=${A}${A}\n", 40);
    const auto project =
        Project("services:\n  web: {image: x, env_file: e.env}\n").file("e.env", doubling);
    EXPECT_EQ(first_error(project), "env-file");
    const std::string many = "A=" + std::string(100'000, 'x') + "\n" + numbered("B#=${A}\n", 1000);
    EXPECT_EQ(
        first_error(Project("services:\n  web: {image: x, env_file: e.env}\n").file("e.env", many)),
        "env-file");
}

TEST(Bounds, AnEnvironmentFileUsedByMany) {
    Project project("services:\n" + numbered("  s#: {image: x, env_file: e.env}\n", 500));
    project.file("e.env", "A=" + std::string(100'000, 'x') + "\n");
    EXPECT_EQ(first_error(project), "too-large");
}

TEST(Bounds, VariablesThatMultiply) {
    Project project("x-a:\n" + numbered("  k#: $A\n", 10'000) + web);
    project.variable("A", std::string(100'000, 'x'));
    EXPECT_EQ(first_error(project), "too-large");
    EXPECT_EQ(first_error(Project("x-a: '" + repeated("${A:-", 10'000) + "'\n" + web)),
              "interpolation");
}

TEST(Bounds, PortRanges) {
    EXPECT_EQ(first_error(Project("services:\n  web:\n    image: x\n    ports:\n" +
                                  numbered("      - 127.0.0.#:1-60000:1-60000\n", 200))),
              "too-large");
    EXPECT_EQ(first_error(
                  Project("services:\n" + numbered("  s#: {image: x, ports: ['1-60000']}\n", 200))),
              "too-large");
}

TEST(Bounds, LongChainsOfDependencies) {
    std::string chain = "services:\n";
    for (int i = 0; i < 10'000; ++i)
        chain += "  s" + std::to_string(i) + ": {image: x, depends_on: [s" + std::to_string(i + 1) +
                 "]}\n";
    EXPECT_EQ(first_error(Project(chain + "  s10000: {image: x}\n")), "");
    EXPECT_EQ(first_error(Project(chain + "  s10000: {image: x, depends_on: [s0]}\n")), "cycle");
}

TEST(Bounds, LinksOnManyNetworks) {
    std::string names = "n0";
    std::string declared = "networks: {n0: ";
    for (int i = 1; i < 2000; ++i) {
        names += ", n" + std::to_string(i);
        declared += ", n" + std::to_string(i) + ": ";
    }
    std::string links;
    for (int i = 0; i < 2000; ++i)
        links += (i == 0 ? "'a:b" : ", 'a:b") + std::to_string(i) + "'";
    EXPECT_EQ(first_error(Project("services:\n  a: {image: x, networks: [" + names +
                                  "]}\n  b: {image: x, networks: [" + names + "], links: [" +
                                  links + "]}\n" + declared + "}\n")),
              "too-large");
}

TEST(Bounds, ManyMistakes) {
    EXPECT_EQ(
        first_error(Project("services:\n  web:\n    image: x\n" + numbered("    k#: 1\n", 50'000))),
        "unknown-key");
    EXPECT_EQ(first_error(Project("services:\n" +
                                  numbered("  s#: {image: x, depends_on: [t#]}\n", 20'000))),
              "undefined");
    const auto result = Project("services:\n" + numbered("  s#: {}\n", 300)).load();
    EXPECT_EQ(result.diagnostics.size(), 101U);
    EXPECT_EQ(result.diagnostics.back().code, "too-many");
}

}  // namespace
}  // namespace stack::test
