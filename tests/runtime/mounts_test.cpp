// Images that a container mounts, and parts of volumes and images.

#include <stack/error.h>

#include "engine/storage/volumes.h"
#include "sys/file.h"
#include "tests/runtime/bed.h"

#include <atomic>
#include <cstdio>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace stack::runtime {
namespace {

using test::Bed;
using test::script;

/// Layers of an image `tools`, topmost first.
void add_tools(Bed& bed, const Strings& layers) {
    MountedImage tools{"sha256:tools", {}};
    for (const auto& layer : layers) {
        tools.lowers.push_back(bed.directory() + "/" + layer);
        sys::ensure_directory(tools.lowers.back() + "/part");
        sys::replace_file(tools.lowers.back() + "/part/" + layer, layer + "\n", 0644);
        sys::replace_file(tools.lowers.back() + "/part/same", layer + "\n", 0644);
    }
    bed.mounted["tools"] = tools;
}

Mount tools_at(const std::string& target, const std::string& subpath = {}) {
    return {.type = MountType::image, .source = "tools", .target = target, .subpath = subpath};
}

/// The directory of a new volume `data`.
std::string make_volume(const Bed& bed) {
    storage::ensure_volume(bed.paths, {.name = "data"});
    return storage::volume_directory(bed.paths, "data");
}

Mount part_of_volume(const std::string& subpath) {
    return {.source = "data", .target = "/part", .subpath = subpath};
}

/// The tree that a link of a volume or an image would lead to on the host.
std::string make_canary(const Bed& bed) {
    const std::string canary = bed.directory() + "/canary";
    sys::ensure_directory(canary);
    sys::replace_file(canary + "/file", "secret\n", 0644);
    return canary;
}

TEST(ImageMounts, ShowAllLayersAndTakeNoWrite) {
    Bed bed;
    add_tools(bed, {"upper", "lower"});
    auto service = script(
        "cat /tools/part/upper /tools/part/lower /tools/part/same; "
        "touch /tools/x 2>&1 | grep -o 'Read-only.*'");
    service.volumes = {tools_at("/tools")};
    EXPECT_EQ(bed.output_of(service), "upper\nlower\nupper\nRead-only file system\n");
}

TEST(ImageMounts, CanBePartsOfOne) {
    for (const Strings& layers : {Strings{"upper", "lower"}, Strings{"only"}}) {
        Bed bed;
        add_tools(bed, layers);
        auto service = script(
            "ls /tools; touch /tools/x 2>&1 | grep -o 'Read-only.*'; cat /file; "
            "grep -c ' /tools ' /proc/self/mounts; grep -c ' / ' /proc/self/mounts");
        service.volumes = {tools_at("/tools", "part"), tools_at("/file", "part/same")};
        EXPECT_EQ(bed.output_of(service),
                  (layers.size() == 2 ? "lower\nsame\nupper\n" : "only\nsame\n") +
                      ("Read-only file system\n" + layers.front()) + "\n1\n1\n");
    }
}

TEST(ImageMounts, DoNotLeadOutOfTheImage) {
    Bed bed;
    const std::string canary = make_canary(bed);
    add_tools(bed, {"upper", "lower"});
    ASSERT_EQ(::symlink(canary.c_str(), (bed.directory() + "/upper/out").c_str()), 0);
    auto service = script("true");
    for (const auto* subpath : {"out", "../canary", "part/none"}) {
        service.volumes = {tools_at("/tools", subpath)};
        EXPECT_THROW(bed.run(service), Error) << subpath;
    }
}

TEST(Subpaths, AreDirectoriesOrFilesOfTheVolume) {
    Bed bed;
    const std::string data = make_volume(bed);
    sys::ensure_directory(data + "/inner/deep");
    sys::replace_file(data + "/inner/deep/file", "deep\n", 0644);
    ASSERT_EQ(::symlink("/inner", (data + "/link").c_str()), 0);
    auto service = script("cat /part/file; echo new >/part/new");
    service.volumes = {part_of_volume("link/deep")};
    EXPECT_EQ(bed.output_of(service), "deep\n");
    EXPECT_EQ(sys::read_file(data + "/inner/deep/new"), "new\n");
    service = script("cat /part");
    service.volumes = {part_of_volume("inner/deep/file")};
    EXPECT_EQ(bed.output_of(service), "deep\n");
}

TEST(Subpaths, GetNothingFromTheImage) {
    Bed bed;
    const std::string data = make_volume(bed);
    sys::ensure_directory(data + "/inner");
    sys::ensure_directory(bed.image() + "/part");
    sys::replace_file(bed.image() + "/part/seed", "seed\n", 0644);
    auto service = script("ls /part");
    service.volumes = {part_of_volume("inner")};
    EXPECT_EQ(bed.output_of(service), "");
    EXPECT_EQ(sys::list_directory(data), (Strings{"inner"}));
}

TEST(Subpaths, ThatAreNotThereAreSaid) {
    Bed bed;
    make_volume(bed);
    auto service = script("true");
    service.volumes = {part_of_volume("none")};
    try {
        bed.run(service);
        ADD_FAILURE() << "a mount of nothing";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what())
                      .find("subpath none of the mount at /part: No such file or directory"),
                  std::string::npos)
            << error.what();
    }
}

TEST(Subpaths, DoNotLeadOutOfTheVolume) {
    Bed bed;
    const std::string canary = make_canary(bed);
    const std::string data = make_volume(bed);
    ASSERT_EQ(::symlink(canary.c_str(), (data + "/out").c_str()), 0);
    ASSERT_EQ(::symlink(("../../../../../../../.." + canary).c_str(), (data + "/up").c_str()), 0);
    ASSERT_EQ(::symlink("/proc/self/root", (data + "/magic").c_str()), 0);
    auto service = script("true");
    for (const auto* subpath : {"out", "up", "magic", "../../canary"}) {
        service.volumes = {part_of_volume(subpath)};
        EXPECT_THROW(bed.run(service), Error) << subpath;
    }
}

/// CVE-2017-1002101, CVE-2021-25741: what was a directory when it was looked at is a link when it
/// is mounted.
TEST(Subpaths, StayInTheVolumeWhileSomebodySwapsThem) {
    Bed bed;
    const std::string canary = make_canary(bed);
    const std::string data = make_volume(bed);
    sys::ensure_directory(data + "/part");
    sys::replace_file(data + "/part/file", "inside\n", 0644);
    const std::string part = data + "/part";
    const std::string link = data + "/link";
    ASSERT_EQ(::symlink(canary.c_str(), link.c_str()), 0);
    std::atomic<bool> over = false;
    std::thread swapper([&] {
        while (!over)
            ::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
    });
    auto service = script("cat /part/file");
    service.volumes = {part_of_volume("part")};
    constexpr int times = 60;
    for (int i = 0; i < times; ++i) {
        const auto id = bed.create(service);
        try {
            bed.start(id);
            bed.wait(id);
            EXPECT_EQ(bed.output(id), "inside\n");
        } catch (const Error&) {  // it was the link: in the volume it leads nowhere
        }
        bed.runtime.remove(id, false);
    }
    over = true;
    swapper.join();
}

}  // namespace
}  // namespace stack::runtime
