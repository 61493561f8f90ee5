#include "engine/build/ignore.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace stack::build {
namespace {

IgnoreRules rules(const std::string& text) {
    Diagnostics diagnostics;
    auto parsed = IgnoreRules::parse(text, ".dockerignore", diagnostics);
    EXPECT_TRUE(diagnostics.empty());
    return parsed;
}

struct Case {
    std::string rules;
    std::string path;
    bool excluded;
};

TEST(IgnoreRules, MatchAsTheReferenceDoes) {
    const std::vector<Case> table{
        {"a", "a", true},
        {"a", "b", false},
        {"a", "a/b", true},
        {"a", "b/a", false},
        {"/a", "a", true},
        {"a/", "a", true},
        {"a/", "a/b", true},
        {"./a", "a", true},
        {"a//b", "a/b", true},
        {"a/../b", "b", true},
        {"../b", "b", true},
        {" a ", "a", true},
        {"a\r", "a", true},
        {"# a", "a", false},
        {"\xEF\xBB\xBF"
         "a",
         "a",
         true},
        {"*", "a", true},
        {"*", "a/b", true},
        {"*.md", "a.md", true},
        {"*.md", "a/b.md", false},
        {"*/*.md", "a/b.md", true},
        {"*/*.md", "a/b/c.md", false},
        {"a?", "ab", true},
        {"a?", "a", false},
        {"a?", "a/", false},
        {"[a-c]", "b", true},
        {"[a-c]", "d", false},
        {"[^a-c]", "d", true},
        {"[^a-c]", "a", false},
        {"a[b\\]]", "a]", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a.b", "axb", false},
        {"a+b", "a+b", true},
        {"a$", "a$", true},
        {"**", "a", true},
        {"**", "a/b", true},
        {"**/", "a", true},
        {"**/a", "a", true},
        {"**/a", "b/a", true},
        {"**/a", "b/c/a", true},
        {"**/a", "ba", false},
        {"**/a", "a/b", true},
        {"a/**", "a/b", true},
        {"a/**", "a/b/c", true},
        {"a/**", "a", false},
        {"a/**", "b", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "ax/b", false},
        {"**/*.md", "a.md", true},
        {"**/*.md", "a/b/c.md", true},
        {"**file", "file", true},
        {"**file", "dir/file", true},
        {"**/file.txt", "dir/dir/file.txt", true},
        {"**/foo/bar", "a/foo/bar", true},
        {"abc/**", "abc/def/ghi", true},
        {"**/.foo", ".foo", true},
        {"**/.foo", "bar.foo", false},
        {"a*b*c", "axbxc", true},
        {"a*b*c", "ax/bxc", false},
        {"*\n!a", "a", false},
        {"*\n!a", "b", true},
        {"*\n!a", "a/b", false},
        {"!a\n*", "a", true},
        {"a\n!a/b", "a/b", false},
        {"a\n!a/b", "a/c", true},
        {"a\n!a/b\na/b/c", "a/b/c", true},
        {"*\n! a", "a", false},
        {"**/node_modules\n!keep/node_modules", "keep/node_modules/x", false},
        {"**/node_modules\n!keep/node_modules", "x/node_modules/x", true},
        {"docs\n!docs/README.md", "docs/README.md", false},
        {"*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true},
        {"*.md\n!README*.md\nREADME-secret.md", "README.md", false},
        {"", "a", false},
        {"\n\n", "a", false},
        {".", "a", false},
    };
    for (const auto& [text, path, excluded] : table)
        EXPECT_EQ(rules(text).excludes(path), excluded) << text << " on " << path;
}

TEST(IgnoreRules, PruneADirectoryOnlyWhereNothingBelowCanComeBack) {
    EXPECT_FALSE(rules("a").may_include_below("a"));
    EXPECT_TRUE(rules("a\n!a/b").may_include_below("a"));
    EXPECT_FALSE(rules("a\nb\n!a/b").may_include_below("b"));
    EXPECT_TRUE(rules("*\n!**/x").may_include_below("a/b/c"));
    EXPECT_TRUE(rules("*\n!*/x").may_include_below("a"));
    EXPECT_FALSE(rules("*\n!*/x").may_include_below("a/b"));
}

TEST(IgnoreRules, RefuseWhatIsNoPattern) {
    Diagnostics diagnostics;
    const auto parsed = IgnoreRules::parse("a\n[b\n!\nc\\", ".dockerignore", diagnostics);
    ASSERT_EQ(diagnostics.size(), 3U);
    EXPECT_EQ(diagnostics[0].location, (Location{".dockerignore", 2, 1, 2}));
    EXPECT_EQ(diagnostics[1].message, "`!` is not followed by a pattern");
}

TEST(IgnoreRules, TakeLinearTimeOnHostilePatterns) {
    std::string pattern;
    for (int i = 0; i < 200; ++i)
        pattern += "*a";
    EXPECT_FALSE(rules(pattern + "b").excludes(std::string(4000, 'a')));
}

}  // namespace
}  // namespace stack::build
