// What holds of every merge, whatever the files say.

#include "tests/loader/project.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

std::string everything() {
    std::stringstream text;
    text << std::ifstream(STACK_SOURCE_DIR "/tests/loader/everything.yaml").rdbuf();
    return text.str();
}

const std::string over =
    "services:\n  web: {image: other, environment: {A: over, NEW: 1}, ports: ['1234:80'],\n"
    "    cap_add: [SYS_TIME], volumes: ['data:/else']}\n  db: {labels: [a=b]}\n";
const std::string last =
    "services:\n  web: {environment: [A=last], command: !override [x], labels: {z: z}}\n";

/// The stack of these files, in the order of -f.
Stack merged(const std::vector<std::string>& files) {
    Project project;
    project.file("web.env", "FROM_FILE=1\n").variable("TOKEN", "s3cret");
    project.input.profiles = {"*"};
    project.input.files.clear();
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string path = "/p/" + std::to_string(i) + ".yaml";
        project.file(path, files[i]);
        project.input.files.push_back(path);
    }
    Stack stack = project.stack();
    stack.files.clear();
    return stack;
}

TEST(Laws, AFileOverItselfChangesNothing) {
    // Except where the same twice is meant twice.
    const std::string lists =
        "services: {web: {post_start: !reset [], pre_stop: !reset [], blkio_config: !reset {}}}\n";
    EXPECT_EQ(to_yaml(merged({everything(), everything(), lists})),
              to_yaml(merged({everything(), lists})));
}

TEST(Laws, AFileThatSaysNothingChangesNothing) {
    const std::string nothing = "services: {web: {}, db: }\nvolumes: {data: }\n";
    EXPECT_EQ(merged({everything(), nothing}), merged({everything()}));
    EXPECT_EQ(merged({nothing, everything()}), merged({everything()}));
}

TEST(Laws, DocumentsOfAFileAreAsFiles) {
    EXPECT_EQ(merged({everything() + "---\n" + over, last}), merged({everything(), over, last}));
    EXPECT_EQ(merged({everything(), over + "---\n" + last}), merged({everything(), over, last}));
}

TEST(Laws, TheLaterFileWins) {
    const Stack stack = merged({everything(), over, last});
    const Service& web = stack.services.at("web");
    EXPECT_EQ(web.image, "other");
    EXPECT_EQ(web.environment.at("A"), "last");
    EXPECT_EQ(web.command, Strings{"x"});
}

TEST(Laws, APrintedStackIsAFileToMergeWith) {
    const Stack stack = merged({everything()});
    EXPECT_EQ(merged({to_yaml(stack), over}), merged({everything(), over}));
}

}  // namespace
}  // namespace stack::test
