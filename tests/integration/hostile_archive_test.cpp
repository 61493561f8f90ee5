// Layouts and archives that no honest program writes (security.md 2M, 30 to 50), through the
// commands that take them: refused in a few lines by the confined worker, with nothing left of
// them, and nothing of the host read.

#include "tests/integration/hostile_tree.h"
#include "tests/integration/image_layout.h"
#include "tests/integration/world.h"
#include "tests/support/leaks.h"

#include <fstream>
#include <functional>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

using Json = nlohmann::json;

class HostileArchive : public testing::Test {
  protected:
    void SetUp() override {
        for (const auto* mine : {"root", "layout", "whole"})  // of another test of this process
            fs::remove_all(here_ / mine);
        make_busybox_root((here_ / "root").string());
        stack_.must({"image", "import", "rootfs:" + (here_ / "root").string(), "plain"});
        stack_.must({"image", "save", "-o", "oci:" + (here_ / "layout").string(), "plain"});
        stack_.must({"image", "rm", "plain"});
        others_ = stack_.must({"image", "ls", "-aq"});
        plain_ = layout_.config();
        fs::copy(here_ / "layout", here_ / "whole", fs::copy_options::recursive);
    }

    void TearDown() override {
        canary_.expect_unchanged();
        expect_nothing_left(stack_);
    }

    /// Neither the directory nor an archive of it is taken, by either command.
    void expect_refused(const std::string& name, const std::function<void()>& spoil) {
        SCOPED_TRACE(name);
        fs::remove_all(here_ / "layout");
        fs::copy(here_ / "whole", here_ / "layout", fs::copy_options::recursive);
        fs::remove(here_ / "layout/manifest.json");  // OCI's alone
        spoil();
        const std::string layout = (here_ / "layout").string();
        const std::string archive = (here_ / "archive.tar").string();
        ASSERT_EQ(run({"tar", "-C", layout, "-cf", archive, "."}).status, 0);
        for (const std::vector<std::string>& words :
             {std::vector<std::string>{"image", "import", "oci:" + layout, "evil"},
              {"image", "import", "oci-archive:" + archive, "evil"},
              {"image", "load", "-i", archive}}) {
            const Result result = stack_.run(words);
            EXPECT_EQ(result.status, 1) << words[1];
            EXPECT_EQ(result.out, "") << words[1];
            expect_sense(result);
        }
        const LeaksOverlooked overlooked;  // of the same command after each
        EXPECT_EQ(stack_.must({"image", "ls", "-aq"}), others_);
        canary_.expect_unchanged();
    }

    void expect_config_refused(const std::string& name, const std::function<void(Json&)>& change) {
        expect_refused(name, [&] { layout_.change_config(change); });
    }

    /// The file of the largest blob, which is the layer.
    [[nodiscard]] fs::path layer() const {
        fs::path largest;
        for (const auto& file : fs::directory_iterator(here_ / "layout/blobs/sha256"))
            if (largest.empty() || file.file_size() > fs::file_size(largest))
                largest = file.path();
        return largest;
    }

    StackProgram stack_;
    fs::path here_ = stack_.directory();
    ImageLayout layout_{here_ / "layout"};
    Json plain_;
    std::string others_;  // images of other tests
    Canary canary_{here_ / "canary"};
};

TEST_F(HostileArchive, WithADamagedConfigurationIsRefused) {
    const Json& plain = plain_;
    const std::string text = plain.dump();
    const auto set = [&](const std::string& name, const std::string& config) {
        expect_refused(name, [&] { layout_.set_config(config); });
    };
    set("no JSON", "{");
    set("no object", "[]");
    set("two of one key", R"({"rootfs":{"diff_ids":[]},)" + text.substr(1));
    set("bottomless",
        "{\"x\":" + std::string(100'000, '[') + std::string(100'000, ']') + "," + text.substr(1));
    set("endless", "{\"x\":\"" + std::string(9U << 20U, 'x') + "\"," + text.substr(1));
    const Json::json_pointer ids("/rootfs/diff_ids");
    const std::string id = plain[ids][0];
    for (const Json& other : {Json::array(),
                              Json::array({id, id}),
                              Json::array({"sha256:" + std::string(64, '0')}),
                              Json::array({"sha256:../../../canary/file"}),
                              Json::array({7}),
                              Json("sha256:")})
        expect_config_refused("diff_ids " + other.dump(), [&](Json& whole) { whole[ids] = other; });
}

TEST_F(HostileArchive, WithADamagedIndexIsRefused) {
    const fs::path index = here_ / "layout/index.json";
    for (const std::string text : {"",
                                   "null",
                                   R"({"schemaVersion":2})",
                                   R"({"schemaVersion":2,"manifests":[]})",
                                   R"({"schemaVersion":2,"manifests":[{"digest":"sha256:x"}]})",
                                   R"({"schemaVersion":2,"manifests":[],"layers":[]})"})
        expect_refused(text, [&] { std::ofstream(index) << text; });
}

/// Whatever is in the place of a file that is read. (No tar takes a socket.)
TEST_F(HostileArchive, OfOtherThingsThanFilesIsRefused) {
    for (const std::string form :
         {"link", "upward link", "loop", "dangling link", "pipe", "device", "wrong kind"}) {
        for (const std::string file : {"index.json", "layer"}) {
            expect_refused(file + " is a " + form, [&] {
                const fs::path path = file == "layer" ? layer() : here_ / "layout" / file;
                fs::remove(path);
                put_hostile(here_ / "layout", path, form, canary_.place() / "file");
            });
        }
    }
}

TEST_F(HostileArchive, WithADamagedLayerIsRefused) {
    for (const std::uintmax_t size : {0U, 100U, 5000U})
        expect_refused("cut to " + std::to_string(size), [&] { fs::resize_file(layer(), size); });
    expect_refused("grown", [&] { std::ofstream(layer(), std::ios::app) << "more"; });
    expect_refused("another byte", [&] {
        std::fstream file(layer(), std::ios::in | std::ios::out);
        file.seekp(1000);
        file << "other";
    });
    expect_refused("gone", [&] { fs::remove(layer()); });
}

TEST_F(HostileArchive, ThatGrowsWithoutMeasureIsRefused) {
    const std::string bomb = (here_ / "bomb").string();
    std::ofstream(bomb + ".raw").close();
    fs::resize_file(bomb + ".raw", 200U << 20U);
    ASSERT_EQ(run({"tar", "-C", here_.string(), "-czf", bomb, "bomb.raw"}).status, 0);
    ASSERT_LT(fs::file_size(bomb), 2U << 20U);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"image", "load", "--max-unpacked", "20MB", "-i", bomb},
          {"image", "import", "--max-unpacked", "20MB", "tar:" + bomb, "evil"},
          {"image", "import", "--max-unpacked", "20MB", "docker-archive:" + bomb, "evil"}}) {
        const Result result = stack_.run(words);
        EXPECT_EQ(result.status, 1);
        EXPECT_NE(result.err.find(" more than 20 MiB"), std::string::npos) << result.err;
        expect_sense(result);
    }
    EXPECT_EQ(stack_.must({"image", "ls", "-aq"}), others_);
}

/// What the worker may read is what it is told to read, and what a link in that leads to is not.
TEST_F(HostileArchive, IsReadAndNothingElse) {
    expect_refused("another directory's blobs", [&] {
        fs::rename(here_ / "layout/blobs", here_ / "elsewhere");
        fs::create_symlink(here_ / "elsewhere", here_ / "layout/blobs");
    });
    fs::remove_all(here_ / "elsewhere");
    fs::remove_all(here_ / "layout");
    fs::rename(here_ / "whole", here_ / "layout");
    stack_.must({"image", "import", "oci:" + (here_ / "layout").string(), "plain"});
    stack_.must({"image", "rm", "plain"});
}

}  // namespace
}  // namespace stack::test
