// Volumes of type image: another image's files, read-only, for as long as the container is there.

#include "tests/integration/world.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class ImageMount : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("assets/Dockerfile", "FROM scratch\nCOPY page /page\nCOPY file /deep/file\n");
        stack_.write("assets/page", "one\n");
        stack_.write("assets/file", "deep\n");
        stack_.write("compose.yaml", R"(
name: shop
services:
  assets: {build: assets, scale: 0}
  web:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    volumes:
      - {type: image, source: assets, target: /whole}
      - {type: image, source: shop-assets, target: /part, image: {subpath: deep/file}}
)");
        stack_.must({"up", "-d"});
    }

    void TearDown() override {
        stack_.must({"down", "-v", "-t", "0"});
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        stack_.must({"image", "rm", "shop-assets"});
        stack_.must({"builder", "prune", "-af"});
        expect_nothing_left(stack_);
    }

    [[nodiscard]] std::string in_web(const std::string& script) const {
        return stack_.run({"exec", "-T", "web", "sh", "-c", script}).out;
    }

    StackProgram stack_;
};

TEST_F(ImageMount, ShowsAServicesImageOrAPartOfIt) {
    EXPECT_EQ(in_web("cat /whole/page /whole/deep/file /part"), "one\ndeep\ndeep\n");
    EXPECT_EQ(in_web("touch /whole/x 2>&1 | grep -o 'Read-only.*'"), "Read-only file system\n");
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    EXPECT_EQ(stack_.must({"container",
                           "run",
                           "--rm",
                           "--mount",
                           "type=image,source=shop-assets,target=/m,image-subpath=deep",
                           "busybox",
                           "ls",
                           "/m"}),
              "file\n");
}

TEST_F(ImageMount, KeepsTheImage) {
    const Result refused = stack_.run({"image", "rm", "shop-assets"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("in use by container shop-web-1"), std::string::npos) << refused.err;
    stack_.must({"image", "prune", "-af"});
    stack_.must({"builder", "prune", "-af"});
    stack_.must({"restart", "-t", "0", "web"});
    EXPECT_EQ(in_web("cat /whole/page /part"), "one\ndeep\n");
}

TEST_F(ImageMount, ThatIsBuiltAnewIsMountedAnew) {
    stack_.write("assets/page", "two\n");
    EXPECT_NE(stack_.run({"plan", "--build"}).out.find("image shop-assets, which it mounts"),
              std::string::npos);
    stack_.must({"up", "-d", "--build"});
    EXPECT_EQ(in_web("cat /whole/page"), "two\n");
    // A name that leads elsewhere by now is seen, too.
    stack_.must({"image", "tag", "busybox", "shop-assets"});
    EXPECT_NE(stack_.run({"plan"}).out.find("image shop-assets, which it mounts, changed"),
              std::string::npos);
}

}  // namespace
}  // namespace stack::test
