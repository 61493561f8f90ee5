// The program started in a chroot: a container's root is the container's all the same.

#include "sys/file.h"
#include "tests/integration/world.h"
#include "tests/support/sandbox.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Chroot : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        sys::ensure_directory(place_);
        ASSERT_EQ(test::run({"mount", "--rbind", "/", place_}).status, 0);
        stack_.write("compose.yaml",
                     "name: shop\n"
                     "services:\n"
                     "  app: {image: busybox, command: sleep 1000, stop_signal: SIGKILL}\n");
    }

    void TearDown() override {
        static_cast<void>(run("down -v"));
        static_cast<void>(test::run({"umount", "--lazy", place_}));
        expect_nothing_left(stack_);
    }

    [[nodiscard]] Result run(const std::string& arguments) const {
        return test::run({"chroot",
                          place_,
                          "sh",
                          "-c",
                          "cd '" + stack_.directory() + "' && exec " + STACK_BINARY_DIR +
                              "/stack --root '" + stack_.root() + "' " + arguments});
    }

    StackProgram stack_;
    std::string place_ = sandbox_directory() + "/elsewhere";
};

// pivot_root(2) works on the root that the caller has; what joins the namespace later begins at the
// namespace's own.
TEST_F(Chroot, WhatJoinsAContainerIsAtTheContainersRoot) {
    const Result up = run("up -d");
    ASSERT_EQ(up.status, 0) << up.err;
    EXPECT_EQ(run("exec -T app sh -c 'echo /*'").out, run("run --rm -T app sh -c 'echo /*'").out);
    EXPECT_NE(run("exec -T app test -e /usr").status, 0);
}

}  // namespace
}  // namespace stack::test
