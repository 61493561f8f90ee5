// Many lives, one after another, in one process: nothing of them stays, in it or outside.
// STACK_CYCLES: how many (default 100).

#include "base/text.h"
#include "sys/file.h"
#include "tests/runtime/bed.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

namespace stack::runtime {
namespace {

namespace fs = std::filesystem;
using test::Bed;

long cycles() {
    const char* text =
        std::getenv("STACK_CYCLES");  // NOLINT(concurrency-mt-unsafe): nobody sets any
    return parse_number<long>(text == nullptr ? "" : text).value_or(100);
}

std::string children_of_self() {
    const auto own = std::to_string(::getpid());
    return sys::read_file("/proc/" + own + "/task/" + own + "/children").value_or("");
}

/// What this process and the bed hold, in words: equal where nothing has grown.
std::string holdings(const Bed& bed) {
    const auto count = [](const auto& walk) {
        return std::to_string(std::distance(fs::begin(walk), fs::end(walk)));
    };
    return "descriptors " + count(fs::directory_iterator("/proc/self/fd")) + ", files " +
           count(fs::recursive_directory_iterator(bed.paths.state)) + ", children " +
           children_of_self() + "\n" + bed.leftovers();
}

TEST(ContainerEndurance, ManyLivesLeaveNothingBehind) {
    Bed bed;
    auto service = test::script("echo alive >/data/file; exit 3");
    Mount volume;
    volume.target = "/data";
    service.volumes = {volume};
    const auto live = [&] {
        const auto id = bed.create(service);
        bed.start(id);
        EXPECT_EQ(bed.wait(id).exit.code, 3);
        bed.runtime.remove(id, true);
    };
    live();  // the first makes what all of them share
    const std::string before = holdings(bed);
    for (long i = 0; i < cycles() && !testing::Test::HasFailure(); ++i)
        live();
    EXPECT_EQ(holdings(bed), before);
}

}  // namespace
}  // namespace stack::runtime
