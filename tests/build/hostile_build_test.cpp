// Contexts, stages and Dockerfiles of somebody who means harm, and builds that go wrong half way.

#include <stack/error.h>

#include "engine/build/cache.h"
#include "engine/build/context.h"
#include "engine/image/tar_stream.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket_path.h"
#include "sys/tree.h"
#include "tests/build/workshop.h"

#include <array>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::build {
namespace {

constexpr const char* canary = "canary-7f3a";

class HostileBuild : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(::geteuid(), 0U) << "these tests run as root";
        sys::ensure_directory(outside);
        sys::replace_file(outside + "/file", canary);
    }

    void build(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        ASSERT_NE(result.image_id, "") << result.failure << shop.output();
    }

    std::string refusal(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        EXPECT_EQ(result.image_id, "");
        return result.failure;
    }

    void link(const std::string& target, const std::string& name) const {
        ASSERT_EQ(::symlink(target.c_str(), (shop.context() + "/" + name).c_str()), 0);
    }

    /// The files below a directory that hold the canary.
    [[nodiscard]] static std::string holders(const std::string& directory) {
        return sys::run_and_capture("/bin/grep", {"grep", "-rl", canary, directory}).second;
    }

    BuildBed shop;
    const std::string outside = shop.root() + "/outside";
};

TEST_F(HostileBuild, ADockerfileIsNoLinkOutOfItsContextAndNoPipe) {
    sys::replace_file(outside + "/Dockerfile", "FROM busybox\nLABEL a=stolen\n");
    link(outside + "/Dockerfile", "link");
    link("../outside/Dockerfile", "relative");
    ASSERT_EQ(::mkfifo((shop.context() + "/pipe").c_str(), 0600), 0);
    for (const auto* name : {"link", "relative", "pipe"}) {
        shop.options.dockerfile = name;
        EXPECT_THROW(static_cast<void>(shop.build("FROM busybox\n")), Error) << name;
    }
}

TEST_F(HostileBuild, IgnoreRulesAreNotReadThroughALinkOutOfTheContext) {
    sys::replace_file(outside + "/rules", "kept\n");
    link(outside + "/rules", ".dockerignore");
    shop.write("kept", "1");
    build("FROM busybox\nCOPY kept /kept\n");
    EXPECT_EQ(shop.read("kept"), "1");
}

TEST_F(HostileBuild, PipesSocketsAndDevicesOfAContextHoldNobodyUp) {
    ASSERT_EQ(::mkfifo((shop.context() + "/pipe").c_str(), 0600), 0);
    ASSERT_EQ(::mknod((shop.context() + "/zero").c_str(), S_IFCHR | 0600, ::makedev(1, 5)), 0);
    const sys::Fd socket = sys::listen_at(sys::SocketPath(shop.context(), "socket"));
    link("loop", "loop");
    shop.write("x", "x");
    build("FROM busybox\nCOPY . /w/\nADD zero pipe /a/\n");
    EXPECT_EQ(shop.read("w/x"), "x");
    EXPECT_EQ(shop.attributes("w/socket"), "");
}

std::string archive_of(const std::vector<image::TarEntry>& entries) {
    std::string bytes;
    const image::ByteSink sink = [&](std::string_view piece) { bytes += piece; };
    image::TarStream tar(sink);
    for (auto entry : entries) {
        const std::string content = entry.type == '0' ? "dead" : "";
        entry.size = content.size();
        tar.header(entry);
        tar.data(content);
        tar.pad(content.size());
    }
    tar.end();
    return bytes;
}

/// Whatever is in an archive, and wherever links of the image lead (CVE-2026-17106).
TEST_F(HostileBuild, AnArchiveIsUnpackedWithinTheImage) {
    const auto file = [](const std::string& path) {
        return image::TarEntry{.path = path, .mode = 0666};
    };
    const auto link = [](const std::string& path, const std::string& target, char type = '2') {
        return image::TarEntry{.path = path, .type = type, .mode = 0777, .link = target};
    };
    const std::string up = "../../../../../../../../../..";
    const std::vector<std::vector<image::TarEntry>> archives{
        {file(up + outside + "/file")},
        {file(outside + "/new")},
        {link("d", outside), file("d/file"), file("d/new")},
        {link("d", up + outside), file("d/file")},
        {link("a", outside), link("b", "a"), file("b/file")},
        {link("file", outside + "/file"), file("file")},
        {link("h", outside + "/file", '1'), file("h")},
        {link("d", outside), link("h", "d/file", '1'), file("h")},
        {link("d", "/proc/self/root" + outside), file("d/file")},
        {link("d", outside), {.path = "d/made", .type = '5', .mode = 0777}},
    };
    std::string dockerfile =
        "FROM busybox\nRUN ln -s " + outside + " /way && ln -s " + up + outside + " /up\n";
    for (const auto& place : {"/", "/way/", "/up/", "/way/deep/"})
        for (const auto& entries : archives) {
            shop.write("evil.tar", archive_of(entries));
            static_cast<void>(shop.build(dockerfile + "ADD evil.tar " + std::string(place) + "\n"));
            EXPECT_EQ(sys::read_file(outside + "/file"), canary) << place;
            EXPECT_EQ(sys::list_directory(outside), std::vector<std::string>{"file"}) << place;
        }
}

TEST_F(HostileBuild, ABindLeadsNowhereButIntoItsStage) {
    for (const auto& target : {outside, "../../../../../../../.." + outside})
        for (const auto* source : {"/link", "/link/file"})
            EXPECT_NE(refusal("FROM busybox AS evil\nRUN ln -s " + target +
                              " /link\nFROM busybox\nRUN --mount=from=evil,source=" + source +
                              ",target=/in true\n")
                          .find("is not in `evil`"),
                      std::string::npos)
                << target << " " << source;
}

TEST_F(HostileBuild, TheIdOfACacheMountIsNoPath) {
    build(
        "FROM busybox\nRUN --mount=type=cache,id=../../../outside,target=/c "
        "echo 1 > /c/taken && ls /c > /listed\n");
    EXPECT_EQ(shop.read("listed"), "taken\n");
    EXPECT_FALSE(sys::exists(outside + "/taken"));
}

TEST_F(HostileBuild, AMountSaysNothingOfPropagation) {
    EXPECT_NE(refusal("FROM busybox\nRUN --mount=target=/in,bind-propagation=rshared true\n")
                  .find("unknown mount option `bind-propagation`"),
              std::string::npos);
}

TEST_F(HostileBuild, MountPointsAreTakenAwayFromTheLayerOnly) {
    sys::ensure_directory(outside + "/b");
    sys::replace_file(outside + "/b/x", "");
    shop.write("x", "x");
    build("FROM busybox\nRUN --mount=source=x,target=/a/b/x mv /a /away && ln -s " + outside +
          " /a\n");
    EXPECT_TRUE(sys::exists(outside + "/b/x"));
}

TEST_F(HostileBuild, AStepDoesNotSeeTheEnvironmentOfWhoBuilds) {
    ::setenv("OF_THE_HOST", canary, 1);
    shop.environment["OF_WHO_BUILDS"] = canary;
    build("FROM busybox\nRUN env > /seen\n");
    ::unsetenv("OF_THE_HOST");
    EXPECT_EQ(shop.read("seen").value_or("").find(canary), std::string::npos);
}

TEST_F(HostileBuild, NothingKeepsASecret) {
    shop.options.secrets = {{outside + "/file", "of-a-file", std::nullopt},
                            {"OF_A_VARIABLE", "of-a-variable", std::nullopt}};
    shop.environment["OF_A_VARIABLE"] = canary;
    build(R"(
FROM busybox
RUN --mount=type=secret,id=of-a-file --mount=type=secret,id=of-a-variable,env=V,target=/v \
    [ $V = $(cat /run/secrets/of-a-file) ] && [ $V = $(cat /v) ]
)");
    EXPECT_EQ(holders(shop.paths.state), "");
    EXPECT_EQ(holders(shop.paths.run), "");
}

TEST_F(HostileBuild, AKilledCommandIsAStepThatFailed) {
    EXPECT_NE(
        refusal("FROM busybox\nRUN sh -c 'kill -9 $$'; exit $?\n").find("failed with status 137"),
        std::string::npos);
    EXPECT_TRUE(StepCache(shop.paths).steps().empty());
}

TEST_F(HostileBuild, AFileThatChangesWhileItIsReadIsNoticed) {
    shop.write("d/a", "1");
    const SourceTree tree(sys::open_directory(shop.context()), SourceTree::Owners::root);
    const auto files = tree.list("d/a", {});
    ASSERT_EQ(files.size(), 1U);
    EXPECT_EQ(sys::read_all(tree.open(files[0])), "1");
    shop.write("d/a", "22");
    EXPECT_THROW(static_cast<void>(tree.open(files[0])), Error);
    sys::remove_tree(shop.context() + "/d");
    link(outside, "d");
    sys::replace_file(outside + "/a", canary);
    EXPECT_THROW(static_cast<void>(tree.open(files[0])), std::exception);
}

TEST_F(HostileBuild, AContentOfTheSameSizeAndTimeIsAnotherContent) {
    shop.write("a", "1");
    ::sleep(2);  // a digest is kept of what did not change a moment ago
    build("FROM busybox\nCOPY a /a\n");
    const std::string file = shop.context() + "/a";

    struct stat before {};

    ASSERT_EQ(::stat(file.c_str(), &before), 0);
    shop.write("a", "2");
    const std::array<timespec, 2> times{before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times.data(), 0), 0);
    build("FROM busybox\nCOPY a /a\n");
    EXPECT_EQ(shop.read("a"), "2");
}

TEST_F(HostileBuild, NestingIsBoundedBeforeItHurts) {
    std::string value = "x";
    for (int i = 0; i < 5000; ++i)
        value = "${a:-" + value + "}";
    EXPECT_NE(refusal("FROM busybox\nARG a\nENV b=" + value + "\n").find("nested deeper"),
              std::string::npos);
}

}  // namespace
}  // namespace stack::build
