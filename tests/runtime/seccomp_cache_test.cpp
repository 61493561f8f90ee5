// The programs that system calls are filtered by are kept, and not without end.

#include "base/random.h"
#include "engine/runtime/seccomp.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <gtest/gtest.h>

namespace stack::runtime {
namespace {

class SeccompCache : public testing::Test {
  protected:
    SeccompCache() { paths_.state = testing::TempDir() + "stack-seccomp-" + random_hex(8); }

    ~SeccompCache() override { sys::remove_tree(paths_.state); }

    [[nodiscard]] std::size_t kept() const {
        return sys::list_directory(paths_.state + "/cache").size();
    }

    Paths paths_;
};

TEST_F(SeccompCache, KeepsAProgramByWhatItDependsOn) {
    const std::string plain = default_filter(paths_, 0);
    EXPECT_EQ(default_filter(paths_, 0), plain);
    EXPECT_EQ(kept(), 1U);
    EXPECT_NE(default_filter(paths_, ~std::uint64_t{0}), plain);
    EXPECT_EQ(kept(), 2U);
}

TEST_F(SeccompCache, HasABound) {
    constexpr std::size_t most = 64;
    sys::ensure_directory(paths_.state + "/cache");
    for (std::size_t i = 0; i < 10 * most; ++i)
        sys::replace_volatile_file(paths_.state + "/cache/seccomp-" + std::to_string(i) + ".bpf",
                                   "old");
    const std::string plain = default_filter(paths_, 0);
    EXPECT_EQ(kept(), most);
    EXPECT_EQ(default_filter(paths_, 0), plain);
    EXPECT_EQ(kept(), most) << "what is there already needs no room";
    static_cast<void>(default_filter(paths_, 1));
    EXPECT_EQ(kept(), most);
}

}  // namespace
}  // namespace stack::runtime
