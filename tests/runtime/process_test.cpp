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

TEST(ExposedPorts, AreTheServicesAndTheImagesEachOnce) {
    ImageConfig image;
    image.exposed_ports = {"53", "80/tcp", "nonsense", "8000-8002", "53/udp"};
    Service service;
    service.expose = {"80/tcp", "53/udp"};
    const auto ports = exposed_ports(service, image);
    ASSERT_EQ(ports.size(), 6U);
    EXPECT_EQ(ports[0].target, 80);
    EXPECT_EQ(ports[0].published, "");
    EXPECT_EQ(ports[1].protocol, Protocol::udp);
    EXPECT_EQ(ports[2].target, 53);
    EXPECT_EQ(ports[2].protocol, Protocol::tcp);
    EXPECT_EQ(ports[5].target, 8002);
}

}  // namespace
}  // namespace stack::runtime
