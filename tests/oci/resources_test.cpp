#include "oci/resources.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace stack::oci {
namespace {

using cgroup::Mode;

Limits limits(const char* resources, Mode mode, bool has_device_groups, Strings& warnings) {
    return limits_for({{"resources", Json::parse(resources)}}, mode, has_device_groups, warnings);
}

Limits limits(const char* resources, Mode mode) {
    Strings warnings;
    return limits(resources, mode, false, warnings);
}

std::string written(const Limits& limits, const std::string& file) {
    for (const auto& write : limits.more)
        if (write.file == file)
            return write.value;
    return {};
}

TEST(OciResources, AreThoseOfAStackWhereItHasAWordForThem) {
    const auto found = limits(R"({"memory": {"limit": 100, "reservation": 50, "swappiness": 7},
        "cpu": {"shares": 512, "quota": 1000, "period": 2000, "cpus": "0"},
        "pids": {"limit": 9}, "blockIO": {"weight": 20}})",
                              Mode::v1);
    EXPECT_EQ(found.resources.memory, 100);
    EXPECT_EQ(found.resources.memory_swap, -1);
    EXPECT_EQ(found.resources.memory_reservation, 50);
    EXPECT_EQ(found.resources.cpu_shares, 512);
    EXPECT_EQ(found.resources.cpu_quota, 1000);
    EXPECT_EQ(found.resources.cpuset, "0");
    EXPECT_EQ(found.resources.pids, 9);
    EXPECT_EQ(found.resources.blkio.weight, 20);
    EXPECT_TRUE(found.more.empty());
}

TEST(OciResources, WritesTheRestByItself) {
    const char* resources = R"({"cpu": {"mems": "0", "period": 2000},
        "blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 10}]},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 4}], "network": {"classID": 5}})";
    const auto v1 = limits(resources, Mode::hybrid);
    EXPECT_EQ(written(v1, "cpuset.mems"), "0");
    EXPECT_EQ(written(v1, "cpu.cfs_period_us"), "2000");
    EXPECT_EQ(written(v1, "blkio.throttle.read_bps_device"), "8:0 10");
    EXPECT_EQ(written(v1, "hugetlb.2MB.limit_in_bytes"), "4");
    EXPECT_EQ(written(v1, "net_cls.classid"), "5");
    const auto v2 = limits(resources, Mode::v2);
    EXPECT_EQ(written(v2, "cpu.max"), "max 2000");
    EXPECT_EQ(written(v2, "io.max"), "8:0 rbps=10");
    EXPECT_EQ(written(v2, "hugetlb.2MB.max"), "4");
    EXPECT_EQ(written(limits(R"({"unified": {"memory.high": "9"}})", Mode::v2), "memory.high"),
              "9");
    EXPECT_THROW(static_cast<void>(limits(R"({"unified": {"memory.high": "9"}})", Mode::v1)),
                 Error);
}

TEST(OciResources, GuardDevicesInTheirOrder) {
    const char* resources = R"({"devices": [{"allow": false, "access": "rwm"},
        {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rwm"},
        {"allow": true, "type": "b", "major": 8, "access": "r"}]})";
    Strings warnings;
    const auto groups = limits(resources, Mode::hybrid, true, warnings);
    ASSERT_GT(groups.more.size(), 3U);
    EXPECT_EQ(groups.more[0].file + " " + groups.more[0].value, "devices.deny a");
    EXPECT_EQ(groups.more[1].file + " " + groups.more[1].value, "devices.allow c 10:229 rwm");
    EXPECT_EQ(groups.more[2].file + " " + groups.more[2].value, "devices.allow b 8:* r");
    EXPECT_FALSE(groups.guards_devices);
    const auto guard = limits(resources, Mode::v2, false, warnings);
    EXPECT_TRUE(guard.guards_devices);
    EXPECT_EQ(guard.allowed_devices[0].minor_number, 229U);
    EXPECT_TRUE(guard.more.empty());
    EXPECT_FALSE(limits("{}", Mode::v2, false, warnings).guards_devices);
    EXPECT_TRUE(warnings.empty());
}

TEST(OciResources, WarnOfWhatTheKernelHasGivenUp) {
    Strings warnings;
    static_cast<void>(
        limits(R"({"memory": {"kernel": 5}, "rdma": {}})", Mode::v1, false, warnings));
    EXPECT_EQ(warnings.size(), 2U);
}

}  // namespace
}  // namespace stack::oci
