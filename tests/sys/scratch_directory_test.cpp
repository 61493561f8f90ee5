#include "sys/scratch_directory.h"

#include "sys/file.h"
#include "sys/tree.h"

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace stack::sys {
namespace {

class Scratch : public testing::Test {
  protected:
    Scratch() {
        std::string name = "/tmp/stack-scratch-test-XXXXXX";
        place_ = ::mkdtemp(name.data());
    }

    ~Scratch() override { remove_tree(place_); }

    std::string place_;
};

TEST_F(Scratch, GoesWithItsMaker) {
    std::string path;
    {
        const ScratchDirectory made(place_ + "/all");
        path = made.path();
        EXPECT_TRUE(is_directory(path));
    }
    EXPECT_FALSE(exists(path));
}

TEST_F(Scratch, OfALiveMakerStaysAndOfADeadOneIsBuriedByName) {
    const ScratchDirectory live(place_ + "/all");
    ensure_directory(place_ + "/all/left");  // nobody holds it locked
    std::vector<std::string> buried;
    ScratchDirectory::sweep(place_ + "/all",
                            [&](const std::string& name) { buried.push_back(name); });
    EXPECT_EQ(buried, std::vector<std::string>{"left"});
    EXPECT_TRUE(exists(live.path()));
    EXPECT_FALSE(exists(place_ + "/all/left"));
}

TEST_F(Scratch, ThatCouldNotBeBuriedWaitsForTheNext) {
    ensure_directory(place_ + "/all/left");
    const auto refuse = [](const std::string&) { throw std::runtime_error("busy"); };
    EXPECT_THROW(ScratchDirectory::sweep(place_ + "/all", refuse), std::runtime_error);
    EXPECT_TRUE(exists(place_ + "/all/left"));
    ScratchDirectory::sweep(place_ + "/all");
    EXPECT_FALSE(exists(place_ + "/all/left"));
}

TEST_F(Scratch, TakesAPlaceOnce) {
    ScratchDirectory first(place_ + "/all");
    ScratchDirectory second(place_ + "/all");
    replace_volatile_file(first.path() + "/who", "first");
    replace_volatile_file(second.path() + "/who", "second");
    EXPECT_TRUE(first.move_to(place_ + "/place"));
    EXPECT_FALSE(second.move_to(place_ + "/place"));
    EXPECT_EQ(read_file(place_ + "/place/who"), "first");
}

TEST_F(Scratch, MakersDoNotTripOverEachOther) {
    constexpr int makers = 4;
    constexpr int rounds = 200;
    std::vector<std::thread> threads;
    for (int maker = 0; maker < makers; ++maker)
        threads.emplace_back([&, maker] {
            for (int i = 0; i < rounds; ++i) {
                ScratchDirectory made(place_ + "/all");
                replace_volatile_file(made.path() + "/file", "content");
                EXPECT_TRUE(made.move_to(place_ + "/" + std::to_string(maker * rounds + i)));
            }
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_TRUE(list_directory(place_ + "/all").empty());
    EXPECT_EQ(list_directory(place_).size(), std::size_t{makers * rounds + 1});
}

}  // namespace
}  // namespace stack::sys
