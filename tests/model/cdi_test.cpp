// Names of devices, and what asks for them.

#include "model/cdi.h"

#include <gtest/gtest.h>

namespace stack {
namespace {

Strings names_for(const DeviceRequest& request) {
    const auto names = cdi_names_for(request);
    return names ? *names : Strings{names.error().message};
}

TEST(CdiName, HasAVendorAClassAndADevice) {
    for (const auto* text :
         {"nvidia.com/gpu=all", "nvidia.com/gpu=1:0", "vendor.com/net-card=a", "v/net.x=0"})
        EXPECT_TRUE(is_cdi_name(text)) << text;
    for (const auto* text : {"",
                             "/dev/null",
                             "/dev/a=b",
                             "vendor.com/class",
                             "vendor.com=class/a",
                             "vendor.com/class=",
                             "vendor.com/class=a/b",
                             "1vendor/class=a",
                             "vendor.com/class=-a"})
        EXPECT_FALSE(is_cdi_name(text)) << text;
}

TEST(CdiName, IsWhatARequestAsksFor) {
    const Strings gpu{"gpu"};
    EXPECT_EQ(names_for({.count = -1, .capabilities = gpu}), Strings{"nvidia.com/gpu=all"});
    EXPECT_EQ(names_for({.driver = "nvidia", .count = 2}),
              (Strings{"nvidia.com/gpu=0", "nvidia.com/gpu=1"}));
    EXPECT_EQ(names_for({.device_ids = {"3", "GPU-x"}, .capabilities = gpu}),
              (Strings{"nvidia.com/gpu=3", "nvidia.com/gpu=GPU-x"}));
    EXPECT_EQ(names_for({.driver = "cdi", .device_ids = {"amd.com/gpu=0"}}),
              Strings{"amd.com/gpu=0"});
    for (const DeviceRequest& wrong : {DeviceRequest{.driver = "cdi", .device_ids = {"0"}},
                                       DeviceRequest{.driver = "cdi"},
                                       DeviceRequest{.driver = "amd", .capabilities = gpu},
                                       DeviceRequest{.capabilities = {"tpu"}},
                                       DeviceRequest{.driver = "nvidia", .count = 2'000'000'000}})
        EXPECT_FALSE(cdi_names_for(wrong)) << wrong.driver;
}

}  // namespace
}  // namespace stack
