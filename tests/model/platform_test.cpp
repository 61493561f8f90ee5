#include "model/platform.h"

#include <gtest/gtest.h>

namespace stack::model {
namespace {

TEST(Platform, OfWhatIsNotSaidEverythingFits) {
    for (const auto* wanted :
         {"", "linux", "amd64", "x86_64", "linux/amd64", "linux/x86_64", "linux/amd64/v2"})
        EXPECT_TRUE(fits_platform("linux/amd64", wanted)) << wanted;
    for (const auto* wanted : {"arm64", "aarch64", "linux/arm64", "windows/amd64", "windows"})
        EXPECT_FALSE(fits_platform("linux/amd64", wanted)) << wanted;
    EXPECT_TRUE(fits_platform("linux/arm64/v8", "arm64"));
    EXPECT_FALSE(fits_platform("linux/arm/v6", "linux/arm/v7"));
    EXPECT_TRUE(fits_platform("", "linux/arm64"));
}

}  // namespace
}  // namespace stack::model
