// image build and import, in docker's words.

#include "tests/integration/world.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

class ImageCommand : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        stack_.must({"container", "prune", "-f"});
        expect_nothing_left(stack_);
    }

    /// A root file system of one file, as a tar.
    [[nodiscard]] std::string tar() const {
        fs::create_directories(here_ / "root");
        fs::copy_file("/bin/busybox", here_ / "root/busybox", fs::copy_options::overwrite_existing);
        const std::string file = (here_ / "root.tar").string();
        EXPECT_EQ(run({"tar", "-C", here_ / "root", "-cf", file, "busybox"}).status, 0);
        return file;
    }

    [[nodiscard]] std::string echoed(const std::string& image) const {
        return stack_.run({"container", "run", "--rm", image, "/busybox", "echo", "hello"}).out;
    }

    StackProgram stack_;
    fs::path here_ = stack_.directory();
};

TEST_F(ImageCommand, ABuildTakesDockersWords) {
    stack_.write("Dockerfile", "FROM busybox\nARG MOOD\nRUN echo $MOOD > /mood\n");
    const auto result =
        stack_.run({"image",      "build", "-q",          "-t",       "a:1",       "-t", "b:1",
                    "--label",    "x",     "--build-arg", "MOOD",     "--iidfile", "id", "--rm",
                    "--force-rm", "-m",    "64m",         "--output", "out",       "."},
                   {{"MOOD", "calm"}});
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, content(here_ / "id") + "\n");
    EXPECT_NE(result.err.find("-m,--memory"), std::string::npos) << result.err;
    EXPECT_EQ(content(here_ / "out/mood"), "calm\n");
    EXPECT_EQ(stack_
                  .run({"image", "build", "-q", "--build-arg", "MOOD", "-o", "out", "."},
                       {{"MOOD", "wild"}})
                  .status,
              0);
    EXPECT_EQ(content(here_ / "out/mood"), "wild\n");
    EXPECT_EQ(stack_.must({"image", "inspect", "b:1", "-f", "{{json .Config.Labels}}"}),
              "{\"x\":\"\"}\n");
    stack_.must({"image", "build", "-q", "--output", "type=tar,dest=out.tar", "."});
    EXPECT_NE(run({"tar", "-tf", here_ / "out.tar"}).out.find("mood\n"), std::string::npos);
    EXPECT_EQ(
        stack_.run({"image", "build", "-q", "-t", "c:1", "-f", "-", "."}, {}, "FROM busybox\n")
            .status,
        0);
    EXPECT_EQ(stack_.run({"image", "build", "--push", "."}).status, 1);
    stack_.must({"builder", "prune", "-af"});
}

TEST_F(ImageCommand, AnImportTakesATarFromAnywhere) {
    const std::string file = tar();
    stack_.must({"image", "import", (here_ / "root").string(), "from:directory"});
    EXPECT_EQ(echoed("from:directory"), "hello\n");
    stack_.must({"image", "import", file, "from:file", "-m", "of my own", "-c", "ENV A=b"});
    EXPECT_EQ(echoed("from:file"), "hello\n");
    EXPECT_NE(stack_.must({"image", "history", "from:file"}).find("of my own"), std::string::npos);
    EXPECT_EQ(stack_.run({"image", "import", "-", "from:input"}, {}, content(file)).status, 0);
    EXPECT_EQ(echoed("from:input"), "hello\n");
    stack_.must({"container",
                 "run",
                 "-d",
                 "--name",
                 "web",
                 "-p",
                 "8080:80",
                 "-v",
                 here_.string() + ":/www",
                 "busybox",
                 "httpd",
                 "-f",
                 "-p",
                 "80",
                 "-h",
                 "/www"});
    EXPECT_TRUE(eventually([] { return !fetch("http://127.0.0.1:8080/root.tar").empty(); }));
    stack_.must({"image", "import", "http://127.0.0.1:8080/root.tar", "from:web"});
    EXPECT_EQ(echoed("from:web"), "hello\n");
    EXPECT_EQ(stack_.run({"image", "import", "http://127.0.0.1:8080/no.tar", "none"}).status, 1);
    stack_.must({"container", "rm", "-f", "web"});
}

TEST_F(ImageCommand, WithoutACommandNothingRuns) {
    stack_.must({"image", "import", tar(), "bare"});
    for (const auto* verb : {"run", "create"}) {
        const auto result = stack_.run({"container", verb, "bare"});
        EXPECT_EQ(result.status, 125);
        EXPECT_NE(result.err.find("no command specified"), std::string::npos) << result.err;
    }
}

}  // namespace
}  // namespace stack::test
