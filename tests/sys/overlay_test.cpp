// The merged view of layers, however many. Needs root, as a mount does.

#include "sys/file.h"
#include "sys/mount.h"
#include "sys/tree.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>

namespace stack::sys {
namespace {

class Overlays : public testing::TestWithParam<int> {
  protected:
    Overlays() {
        std::string name = "/var/tmp/stack-overlay-XXXXXX";
        check(::mkdtemp(name.data()) == nullptr ? -1 : 0, "make a directory");
        place_ = name;
    }

    ~Overlays() override { remove_tree(place_); }

    /// Layers, topmost first, each with a file of its own and a say in one that all have.
    [[nodiscard]] std::vector<std::string> layers(int count) const {
        std::vector<std::string> lowers;
        for (int i = 0; i < count; ++i) {
            lowers.push_back(place_ + "/a-layer-with-a-name-as-long-as-a-digest-has/" +
                             std::to_string(i));
            ensure_directory(lowers.back());
            replace_volatile_file(lowers.back() + "/own" + std::to_string(i), "own");
            replace_volatile_file(lowers.back() + "/shared", std::to_string(i));
        }
        return lowers;
    }

    std::string place_;
};

TEST_P(Overlays, ShowEveryLayerAndTheTopmostOfEachFile) {
    const Fd root = merged_view(layers(GetParam()));
    EXPECT_EQ(read_in_root(root, "shared", 100), "0");
    for (int i = 0; i < GetParam(); ++i)
        EXPECT_EQ(read_in_root(root, "own" + std::to_string(i), 100), "own");
}

TEST_P(Overlays, TakeWhatIsWrittenIntoTheUpperDirectory) {
    ensure_directory(place_ + "/upper");
    ensure_directory(place_ + "/work");
    const std::string before = current_directory();
    {
        const Fd root = writable_view(layers(GetParam()), place_ + "/upper", place_ + "/work");
        const Fd file = open_in_root(root, "shared", O_WRONLY | O_TRUNC);
        write_all(file, "new");
    }
    EXPECT_EQ(current_directory(), before);
    EXPECT_EQ(read_file(place_ + "/upper/shared"), "new");
    EXPECT_EQ(read_file(place_ + "/a-layer-with-a-name-as-long-as-a-digest-has/0/shared"), "0");
}

TEST(OverlayNames, MayBeLongAndHaveAnyCharacter) {
    std::string place = "/var/tmp/stack-overlay-XXXXXX";
    check(::mkdtemp(place.data()) == nullptr ? -1 : 0, "make a directory");
    const std::string odd = place + "/a,b:c\\d " + std::string(250 - 8, 'x');
    for (const auto* name : {"/one", "/two", "/upper", "/work"})
        ensure_directory(odd + name);
    {
        const Fd root = writable_view({odd + "/one", odd + "/two"}, odd + "/upper", odd + "/work");
        const Fd file = open_in_root(root, "new", O_WRONLY | O_CREAT, 0644);
    }
    EXPECT_TRUE(exists(odd + "/upper/new"));
    remove_tree(place);
}

INSTANTIATE_TEST_SUITE_P(Layers, Overlays, testing::Values(1, 2, 40, 127));

TEST(OverlayRefusal, NamesWhatItCouldNotOpen) {
    EXPECT_THROW(static_cast<void>(merged_view({"/nowhere/a", "/nowhere/b"})), std::exception);
}

}  // namespace
}  // namespace stack::sys
