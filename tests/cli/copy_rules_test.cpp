// cp: docker's rules (docker container cp, "Description").

#include "cli/copy_rules.h"

#include <stack/error.h>

#include <gtest/gtest.h>

namespace stack::cli {

void PrintTo(const CopyTarget& target, std::ostream* out) {
    *out << target.directory << " + " << target.name;
}

void PrintTo(const SplitPath& path, std::ostream* out) {
    *out << path.parent << " + " << path.last << (path.is_directory ? " (directory)" : "");
}

namespace {

TEST(CopyRules, AnArgumentIsAContainersPathOrALocalOne) {
    EXPECT_EQ(parse_copy_end("web:/etc"), (CopyEnd{"web", "/etc"}));
    EXPECT_EQ(parse_copy_end("web:a:b"), (CopyEnd{"web", "a:b"}));
    EXPECT_EQ(parse_copy_end("file"), (CopyEnd{std::nullopt, "file"}));
    EXPECT_EQ(parse_copy_end("./a:b"), (CopyEnd{std::nullopt, "./a:b"}));
    EXPECT_EQ(parse_copy_end("/a:b"), (CopyEnd{std::nullopt, "/a:b"}));
    EXPECT_EQ(parse_copy_end("-"), (CopyEnd{std::nullopt, "-"}));
}

TEST(CopyRules, APathIsWhereItIsAndWhatItIsCalled) {
    EXPECT_EQ(split_path("/a/b"), (SplitPath{"/a", "b", false}));
    EXPECT_EQ(split_path("/a/b/"), (SplitPath{"/a", "b", true}));
    EXPECT_EQ(split_path("/a//b//"), (SplitPath{"/a/", "b", true}));
    EXPECT_EQ(split_path("/a"), (SplitPath{"/", "a", false}));
    EXPECT_EQ(split_path("a"), (SplitPath{"", "a", false}));
    EXPECT_EQ(split_path("/"), (SplitPath{"/", "", true}));
    EXPECT_EQ(split_path("/a/."), (SplitPath{"/a/.", "", true}));
    EXPECT_EQ(split_path("/a/.."), (SplitPath{"/a/..", "", true}));
    EXPECT_EQ(split_path("/a/./"), (SplitPath{"/a/.", "", true}));
    EXPECT_EQ(split_path("."), (SplitPath{".", "", true}));
}

constexpr auto none = PathKind::none;
constexpr auto directory = PathKind::directory;
constexpr auto file = PathKind::file;
constexpr auto special = PathKind::special;

TEST(CopyRules, AFile) {
    EXPECT_EQ(copy_target(file, "f", none, "/d/new"), (CopyTarget{"/d", "new"}));
    EXPECT_THROW(static_cast<void>(copy_target(file, "f", none, "/d/new/")), Error);
    EXPECT_EQ(copy_target(file, "f", file, "/d/old"), (CopyTarget{"/d", "old"}));
    EXPECT_THROW(static_cast<void>(copy_target(file, "f", special, "/d/null")), Error);
    EXPECT_EQ(copy_target(file, "f", directory, "/d"), (CopyTarget{"/d", "f"}));
    EXPECT_EQ(copy_target(file, "f", directory, "/d/"), (CopyTarget{"/d/", "f"}));
}

TEST(CopyRules, ADirectory) {
    EXPECT_EQ(copy_target(directory, "s", none, "/d/new"), (CopyTarget{"/d", "new"}));
    EXPECT_EQ(copy_target(directory, "s", none, "/d/new/"), (CopyTarget{"/d", "new"}));
    EXPECT_EQ(copy_target(directory, "", none, "/d/new"), (CopyTarget{"/d", "new"}));
    EXPECT_THROW(static_cast<void>(copy_target(directory, "s", file, "/d/old")), Error);
    EXPECT_EQ(copy_target(directory, "s", directory, "/d"), (CopyTarget{"/d", "s"}));
    EXPECT_EQ(copy_target(directory, "", directory, "/d"), (CopyTarget{"/d", ""}));
}

}  // namespace
}  // namespace stack::cli
