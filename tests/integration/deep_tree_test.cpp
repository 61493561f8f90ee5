// Trees that a container makes deeper than a path can name, a stack can recurse into, or a process
// can hold open: they are copied, committed and, above all, removed.

#include "tests/integration/world.h"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

/// Above 4096 bytes, and 1024 descriptors; tests/sys goes deeper.
constexpr int stretches = 2;
constexpr int levels_a_stretch = 1100;  // its path is one that a system call takes
constexpr int levels = stretches * levels_a_stretch;

/// Shell text that goes `levels` down from where it is, after it did `first` at each stretch. `cd
/// -P` takes the name alone.
std::string go_down(const std::string& first) {
    return "exec 2>/dev/null; way=$(printf 'd/%.0s' $(seq " + std::to_string(levels_a_stretch) +
           ")); for i in $(seq " + std::to_string(stretches) + "); do " + first +
           " cd -P $way || exit 1; done; ";
}

constexpr const char* deep_file = R"(
name: deep
services:
  app:
    image: busybox
    command: sleep 1000
    init: true
    volumes: ["data:/data"]
volumes: {data: {}}
)";

class DeepTree : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", deep_file);
        stack_.must({"up", "-d"});
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "0"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "deep") == 0; }));
        expect_nothing_left(stack_);
        EXPECT_EQ(run({"rm", "-rf", stack_.directory() + "/out"}).status, 0);
    }

    void make(const std::string& place) const {
        stack_.must({"exec",
                     "-T",
                     "app",
                     "sh",
                     "-c",
                     "mkdir -p " + place + "; cd " + place + "; " +
                         go_down("mkdir -p $way || exit 1;") + "echo x > leaf"});
    }

    /// How deep the leaf lies below `place`.
    [[nodiscard]] std::string depth(const std::string& place) const {
        return run({"sh", "-c", "cd " + place + " && find . -name leaf -printf %d"}).out;
    }

    /// What a container finds there.
    [[nodiscard]] std::string leaf_inside(const std::string& place) const {
        return stack_
            .run({"exec", "-T", "app", "sh", "-c", "cd " + place + "; " + go_down("") + "cat leaf"})
            .out;
    }

    StackProgram stack_;
    std::string leaf_depth_ = std::to_string(levels + 1);
};

TEST_F(DeepTree, IsRemovedWithItsVolumeAndItsContainer) {
    make("/data/deep");
    make("/deep");
    stack_.must({"down", "-v", "-t", "0"});
    for (const auto* place : {"/volumes", "/containers"}) {
        std::vector<std::string> left;
        for (const auto& entry : fs::directory_iterator(stack_.root() + place))
            if (!entry.path().filename().string().starts_with('.'))
                left.push_back(entry.path());
        EXPECT_EQ(left, std::vector<std::string>()) << place;
    }
}

TEST_F(DeepTree, IsCopiedOutAndIn) {
    make("/deep");
    const std::string out = stack_.directory() + "/out";
    stack_.must({"cp", "app:/deep", out});
    EXPECT_EQ(depth(out), leaf_depth_);
    stack_.must({"cp", out, "app:/again"});
    EXPECT_EQ(leaf_inside("/again"), "x\n");
}

TEST_F(DeepTree, IsAChangeAndALayerLikeOthers) {
    make("/deep");
    const std::string id = container(stack_, "app")["ID"];
    const std::string changes = stack_.must({"container", "diff", id});
    EXPECT_EQ(std::count(changes.begin(), changes.end(), '\n'), levels + 2);
    const std::string archive = stack_.directory() + "/out";
    stack_.must({"container", "export", "-o", archive, id});
    EXPECT_EQ(run({"sh", "-c", "tar -tf " + archive + " | grep -c ^deep"}).out,
              std::to_string(levels + 2) + "\n");
    stack_.must({"container", "commit", id, "deep:1"});
    stack_.must({"down", "-v", "-t", "0"});
    EXPECT_EQ(stack_.must({"container",
                           "run",
                           "--rm",
                           "deep:1",
                           "sh",
                           "-c",
                           "cd /deep; " + go_down("") + "cat leaf"}),
              "x\n");
    stack_.must({"image", "save", "-o", archive, "deep:1"});
    stack_.must({"image", "rm", "deep:1"});
    stack_.must({"image", "load", "-i", archive});
    stack_.must({"image", "rm", "deep:1"});
}

}  // namespace
}  // namespace stack::test
