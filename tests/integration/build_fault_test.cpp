// Builds that go wrong half way: a full disk, a builder that is killed. The next one goes on.

#include "tests/integration/world.h"
#include "tests/support/failpoints.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace stack::test {
namespace {

class BuildFault : public testing::Test {
  protected:
    void TearDown() override {
        stack_.must({"builder", "prune", "-af"});  // what steps have left goes with the next one
        expect_nothing_left(stack_);
    }

    [[nodiscard]] Result build(const std::map<std::string, std::string>& environment = {}) const {
        return stack_.run({"image", "build", "--progress", "plain", "-t", "built", "."},
                          environment);
    }

    [[nodiscard]] std::string content(const std::string& path) const {
        return stack_.must({"container", "run", "--rm", "built", "cat", path});
    }

    StackProgram stack_;
};

TEST_F(BuildFault, AFullDiskFailsTheStepThatFillsItAndNoLaterOne) {
    std::filesystem::create_directories(stack_.root());
    ASSERT_EQ(::mount("disk", stack_.root().c_str(), "tmpfs", 0, "size=64m"), 0);
    import_busybox(stack_);
    stack_.write("Dockerfile", "FROM busybox\nRUN cat /dev/zero > /big\n");
    const Result full = build();
    EXPECT_NE(full.status, 0);
    EXPECT_NE((full.out + full.err).find("Dockerfile:2:1"), std::string::npos)
        << full.out << full.err;
    stack_.write("Dockerfile", "FROM busybox\nRUN echo small > /small\n");
    const Result later = build();
    EXPECT_EQ(later.status, 0) << later.out << later.err;
    EXPECT_EQ(content("/small"), "small\n");
}

TEST_F(BuildFault, ABuilderThatIsKilledAnywhereIsFollowedByOneThatBuilds) {
    import_busybox(stack_);
    stack_.write("Dockerfile",
                 "FROM busybox\n"
                 "RUN --mount=type=cache,target=/c echo once >> /c/f && cp /c/f /f\n"
                 "COPY Dockerfile /taken\n");
    for (const auto* failpoint : {"build.step.before",
                                  "step.spawn",
                                  "build.layer.publish",
                                  "build.cache.record",
                                  "build.image.put"}) {
        const Failpoints failpoints(std::string("kill-") + failpoint);
        EXPECT_NE(build(failpoints.killing(failpoint, 1)).status, 0) << failpoint;
        const Result again = build();
        EXPECT_EQ(again.status, 0) << failpoint << again.out << again.err;
        EXPECT_EQ(content("/f").substr(0, 5), "once\n") << failpoint;
        stack_.must({"container", "prune", "-f"});
        stack_.must({"image", "rm", "-f", "built"});
        stack_.must({"builder", "prune", "-af"});
    }
}

}  // namespace
}  // namespace stack::test
