// The variables of a container's process: whose win, in which order, and however many there are.

#include "engine/runtime/process.h"

#include <gtest/gtest.h>

namespace stack::runtime {
namespace {

const std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

TEST(Environment, HasEachVariableOnceAndAsItWasSetLast) {
    ImageConfig image;
    image.environment = {"A=1", "HOSTNAME=image", "B=2", "A=3=3", "C", "A B=4"};
    Service service;
    service.tty = true;
    service.environment = {{"B", std::nullopt}, {"C", "5"}, {"NONE", std::nullopt}};
    EXPECT_EQ(environment_for(service, image, "host"),
              (Strings{path, "TERM=xterm", "HOSTNAME=image", "A=3=3", "A B=4", "C=5"}));
}

/// Without an end, were each looked for among all others.
TEST(Environment, OfAnImageMayHaveAnyNumberOfVariables) {
    constexpr int many = 300'000;
    ImageConfig image;
    for (int i = 0; i < many; ++i)
        image.environment.push_back("VARIABLE_" + std::to_string(i) + "=x");
    image.environment.push_back("VARIABLE_0=y");
    const Strings all = environment_for({}, image, "host");
    EXPECT_EQ(all.size(), many + 2U);
    EXPECT_EQ(all.back(), "VARIABLE_0=y");
}

}  // namespace
}  // namespace stack::runtime
