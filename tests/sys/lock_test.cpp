#include "sys/lock.h"

#include "sys/file.h"
#include "sys/tree.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace stack::sys {
namespace {

class Parts : public testing::Test {
  protected:
    Parts() {
        std::string name = "/tmp/stack-lock-test-XXXXXX";
        place_ = ::mkdtemp(name.data());
    }

    ~Parts() override { remove_tree(place_); }

    [[nodiscard]] std::optional<PartLock> try_part(std::uint64_t part) const {
        return PartLock::try_acquire(place_ + "/lock", part);
    }

    std::string place_;
};

TEST_F(Parts, AreLockedOneByOne) {
    constexpr std::uint64_t last = (std::uint64_t{1} << 62U) - 1;
    const auto first = try_part(0);
    EXPECT_TRUE(first);
    EXPECT_TRUE(try_part(1));
    EXPECT_TRUE(try_part(last));
    EXPECT_FALSE(try_part(0)) << "also in the process that holds it";
    EXPECT_EQ(file_size(place_ + "/lock"), 0);
}

TEST_F(Parts, AreFreeWhenTheirHolderGoes) {
    { const auto holder = try_part(7); }
    EXPECT_TRUE(try_part(7));
}

}  // namespace
}  // namespace stack::sys
