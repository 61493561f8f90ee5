#include "sys/process.h"

#include "sys/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace stack::sys
