#include "sys/process.h"

#include "sys/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace stack::sys {
namespace {

TEST(Spawn, AnOpenProgramRunsWhicheverDescriptorsTheChildGets) {
    const Fd program = open_file("/bin/true", O_RDONLY);
    const Fd other = open_file("/dev/null", O_RDONLY);
    SpawnOptions options;
    options.arguments = {"true"};
    options.descriptors = {{other.get(), program.get()}};
    EXPECT_EQ(wait(spawn(program, options)), 0);
}

std::string descriptor_limit_of_a_child() {
    return run_and_capture("/bin/sh", {"sh", "-c", "ulimit -Sn"}).second;
}

TEST(Spawn, AChildHasTheLimitOfDescriptorsThatWeHadBeforeWeRaisedOurs) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit low{limit.rlim_max - 1, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    raise_descriptor_limit();
    EXPECT_EQ(descriptor_limit_of_a_child(), std::to_string(low.rlim_cur) + "\n");
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(limit.rlim_cur, limit.rlim_max);
}

}  // namespace
}  // namespace stack::sys
