// image build and import, in docker's words.

#include "tests/integration/world.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

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

TEST_F(ImageCommand, ABuildCanSayWhatItOffers) {
    stack_.write("Dockerfile",
                 "# base what it stands on\nFROM busybox AS base\nFROM base\n# MOOD of the day\n"
                 "ARG MOOD=calm\nRUN --mount=type=secret,id=key,required=true true\n");
    EXPECT_EQ(stack_.must({"image", "build", "--call", "targets", "."}),
              "TARGET      DESCRIPTION\n"
              "base        what it stands on\n"
              "(default)\n");
    EXPECT_EQ(stack_.must({"image", "build", "--call=outline", "."}),
              "BUILD ARG   VALUE   DESCRIPTION\n"
              "MOOD        calm    of the day\n\n"
              "SECRET   REQUIRED\n"
              "key      true\n\n");
    EXPECT_NE(stack_.must({"image", "build", "--print=outline,format=json", "."})
                  .find(R"("name": "MOOD")"),
              std::string::npos);
    const auto checked =
        stack_.run({"image", "build", "--call=check,format=json", "--target=x", "."});
    EXPECT_EQ(checked.status, 1);
    EXPECT_NE(checked.out.find("buildError"), std::string::npos) << checked.out;
}

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
    const auto lost = stack_.run({"image", "build", "--iidfile", "no/id", "--no-cache", "."});
    EXPECT_EQ(lost.status, 1);
    EXPECT_EQ(lost.err,
              "stack: --iidfile no/id: there is no directory " + (here_ / "no").string() + "\n");
    stack_.must({"builder", "prune", "-af"});
}

TEST_F(ImageCommand, AnImportTakesATarFromAnywhere) {
    const std::string file = tar();
    stack_.must({"image", "import", (here_ / "root").string(), "from:directory"});
    EXPECT_EQ(echoed("from:directory"), "hello\n");
    stack_.must({"image", "import", file, "from:file", "-m", "of my own", "-c", "ENV A=b"});
    EXPECT_EQ(echoed("from:file"), "hello\n");
    EXPECT_EQ(stack_.must({"image", "inspect", "--format", "{{.Comment}}", "from:file"}),
              "of my own\n");
    EXPECT_NE(stack_.must({"image", "history", "from:file"}).find("of my own"), std::string::npos);
    EXPECT_EQ(stack_.must({"image", "history", "--format", "{{.CreatedAt}}", "from:file"}),
              stack_.must({"image", "inspect", "--format", "{{.Created}}", "from:file"}));
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

TEST_F(ImageCommand, AnImportTakesATarHoweverItIsPacked) {
    const std::string file = tar();
    for (const auto* packer : {"gzip", "bzip2", "xz"}) {
        const std::string packed = file + "." + packer;
        ASSERT_EQ(run({"sh", "-c", std::string(packer) + " -c < " + file + " > " + packed}).status,
                  0)
            << packer;
        stack_.must({"image", "import", packed, std::string("packed:") + packer});
        EXPECT_EQ(echoed(std::string("packed:") + packer), "hello\n") << packer;
    }
}

TEST_F(ImageCommand, AListIsAsDockersIs) {
    stack_.must({"image", "import", tar(), "first:1", "-c", "LABEL of=first"});
    stack_.must({"image", "tag", "first:1", "first:2"});
    EXPECT_EQ(stack_.must({"image",
                           "ls",
                           "-a",
                           "-f",
                           "label=of=first",
                           "--format",
                           "{{.Repository}}:{{.Tag}} {{.Digest}}"}),
              "first:1 <none>\nfirst:2 <none>\n");
    EXPECT_EQ(
        stack_.must({"image", "ls", "-f", "reference=first:1", "-f", "reference=no", "-q"}).size(),
        13U);
    const std::string rows = stack_.must({"image", "list", "first:1"});
    EXPECT_TRUE(std::regex_match(rows,
                                 std::regex("REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n"
                                            "first +1 +[0-9a-f]{12} +.* ago +[0-9.]+[kM]?B\n")))
        << rows;
    const std::string id = stack_.must({"image", "ls", "--no-trunc", "-q", "first"});
    EXPECT_TRUE(id.starts_with("sha256:")) << id;
    EXPECT_NE(stack_.must({"image", "ls", "--format", "{{.CreatedSince}} {{.Size}}", "first:1"})
                  .find("ago"),
              std::string::npos);
    EXPECT_EQ(stack_.run({"image", "ls", "-f", "of=first"}).status, 1);
    EXPECT_EQ(stack_.must({"image", "inspect", "-f", "{{.Id}}", id.substr(7, 9)}), id);
    EXPECT_EQ(stack_.must({"image", "history", "-q", "--no-trunc", "first:1"}), id);
    EXPECT_EQ(stack_.must({"image", "history", "--format", "{{.CreatedBy}}", "first:1"}),
              "stack image import\n");
    EXPECT_NE(stack_.must({"image", "history", "--human=false", "--format", "{{.Size}}", "first:1"})
                  .find_first_of("0123456789"),
              std::string::npos);
    EXPECT_EQ(stack_.must({"image", "rm", "-f", "--no-prune", id.substr(7, 9)}).find("Deleted: ") !=
                  std::string::npos,
              true);
}

TEST_F(ImageCommand, TheNewestIsTheFirstOfTheList) {
    stack_.write("Dockerfile", "FROM scratch\nLABEL old=1\n");
    EXPECT_EQ(
        stack_.run({"image", "build", "-t", "old", "."}, {{"SOURCE_DATE_EPOCH", "86400"}}).status,
        0);
    stack_.must({"image", "import", tar(), "young"});
    const std::string all = stack_.must({"image", "ls", "--format", "{{.Repository}}"});
    EXPECT_LT(all.find("young\n"), all.find("old\n")) << all;
}

TEST_F(ImageCommand, AnArchiveGoesThroughAPipe) {
    stack_.must({"image", "import", tar(), "first:1"});
    const auto saved = stack_.run({"image", "save", "first:1"});
    ASSERT_EQ(saved.status, 0) << saved.err;
    const auto load = [&] { return stack_.run({"image", "load"}, {}, saved.out).out; };
    EXPECT_EQ(load(), "Loaded image: first:1\n") << "it is here already";
    stack_.must({"image", "rm", "first:1"});
    EXPECT_EQ(load(), "Loaded image: first:1\n");
    EXPECT_EQ(echoed("first:1"), "hello\n");
}

TEST_F(ImageCommand, AnArchiveHoldsSeveralImages) {
    stack_.must({"image", "import", tar(), "first:1"});
    stack_.must({"image", "import", tar(), "second:1", "-m", "another"});
    stack_.must({"image", "save", "first:1", "second:1", "-o", "both.tar"});
    stack_.must({"image", "save", "first:1", "-o", "oci:layout:tagged"});
    stack_.must({"image", "rm", "first:1", "second:1"});
    EXPECT_EQ(stack_.must({"image", "load", "-i", "both.tar"}),
              "Loaded image: first:1\nLoaded image: second:1\n");
    stack_.must({"image", "rm", "first:1", "second:1"});
    EXPECT_EQ(stack_.run({"image", "import", "oci-archive:both.tar", "one"}).status, 1);
    stack_.must({"image", "import", "oci-archive:both.tar:second:1", "one"});
    EXPECT_NE(stack_.must({"image", "history", "one"}).find("another"), std::string::npos);
    EXPECT_EQ(run({.words = {"umoci", "ls", "--layout", "layout"}, .directory = here_}).out,
              "tagged\n");
    stack_.must({"image", "import", "oci:layout:tagged", "two"});
    EXPECT_EQ(echoed("two"), "hello\n");
}

TEST_F(ImageCommand, AnArchiveThatTakesANameSaysFromWhichImage) {
    stack_.must({"image", "import", tar(), "mine:1"});
    stack_.must({"image", "save", "mine:1", "-o", "mine.tar"});
    EXPECT_EQ(stack_.run({"image", "load", "-i", "mine.tar"}).err.find("another image"),
              std::string::npos)
        << "it is the same";
    stack_.must({"image", "import", tar(), "mine:1", "-m", "another"});
    std::string id = stack_.must({"image", "ls", "-q", "--no-trunc", "mine:1"});
    id.pop_back();
    const Result result = stack_.run({"image", "load", "-i", "mine.tar"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, "Loaded image: mine:1\n");
    EXPECT_NE(result.err.find("the archive has another image of this name; the one that had it, " +
                              id + ", is kept without"),
              std::string::npos)
        << result.err;
    stack_.must({"image", "inspect", id});
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
