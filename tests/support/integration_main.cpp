// The main() of integration tests: everything but the listing of tests happens in a sandbox.

#include "tests/support/sandbox.h"

#include <cstdio>
#include <exception>

#include <gtest/gtest.h>

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    try {
        if (!testing::GTEST_FLAG(list_tests))
            stack::test::enter_sandbox();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cannot make a sandbox: %s\n", error.what());
        return 1;
    }
    return RUN_ALL_TESTS();
}
