#include "shim/spec.h"

#include <gtest/gtest.h>

namespace stack::shim {
namespace {

Spec example() {
    Spec spec;
    spec.id = "abc";
    spec.process.arguments = {"sh", "-c", "echo"};
    spec.process.environment = {"A=b", ""};
    spec.process.capabilities = 0xa80425fb;
    spec.process.oom_score_adj = -7;
    spec.process.seccomp = std::string("\0\1\2", 3);
    spec.process.limits = {{7, 1024, ~std::uint64_t{0}}};
    spec.lowers = {"/a", "/b"};
    spec.mounts.push_back(
        {.kind = MountKind::tmpfs, .target = "/tmp", .options = "size=1", .read_only = 1});
    spec.mounts.push_back({.kind = MountKind::overlay,
                           .subpath = "d",
                           .target = "/in",
                           .lowers = {"/a"},
                           .upper = "/u",
                           .work = "/w"});
    spec.files = {{"/run/secrets/x", "hush", 0400, 1, 2}};
    spec.user.sharing = Sharing::own;
    spec.uid_map = "0 1000 10\n";
    spec.root_id = 1000;
    spec.network = {Sharing::joined, "/proc/1/ns/net"};
    spec.interfaces.push_back(
        {.bridge = 3, .name = "eth0", .link_local = {"169.254.8.8/16", "fe80::8/64"}});
    spec.ports = {{"127.0.0.1", 80, 6}};
    spec.hierarchies = {{"memory", "/sys/fs/cgroup/memory/x"}};
    spec.process.has_exact_sets = 1;
    spec.process.exact_sets.ambient = 5;
    spec.bundle.nodes = {{"/dev/x", 0600, 1, 2, 3, 4}};
    spec.bundle.start_hooks = {{"/bin/true", {"true"}, {"A=b"}, 3}};
    return spec;
}

TEST(ShimSpec, ArrivesAsItWasSent) {
    const std::string bytes = encode(example());
    Spec back;
    ASSERT_TRUE(decode(bytes, back));
    EXPECT_EQ(encode(back), bytes);
    EXPECT_EQ(back.process.oom_score_adj, -7);
    EXPECT_EQ(back.process.seccomp.size(), 3U);
    EXPECT_EQ(back.user.sharing, Sharing::own);
    EXPECT_EQ(back.uid_map, "0 1000 10\n");
    EXPECT_EQ(back.root_id, 1000U);
    EXPECT_EQ(back.interfaces.at(0).name, "eth0");
    EXPECT_EQ(back.interfaces.at(0).link_local.size(), 2U);
    EXPECT_EQ(back.hierarchies.at(0).name, "memory");
    EXPECT_EQ(back.mounts.at(1).upper, "/u");
    EXPECT_EQ(back.mounts.at(1).work, "/w");
    EXPECT_EQ(back.bundle.nodes.at(0).gid, 4U);
    EXPECT_EQ(back.bundle.start_hooks.at(0).timeout, 3U);
}

TEST(ShimSpec, IsRefusedWhereAPartIsMissing) {
    const std::string bytes = encode(example());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        Spec back;
        EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size), back)) << size;
    }
}

TEST(ShimSpec, IsRefusedWhereSomethingIsTooMuch) {
    Spec back;
    EXPECT_FALSE(decode(encode(example()) + "x", back));
}

TEST(ShimSpec, IsRefusedOfAnotherVersion) {
    std::string bytes = encode(example());
    ++bytes[0];
    Spec back;
    EXPECT_FALSE(decode(bytes, back));
}

TEST(ShimSpec, NeverAsksForMoreThanThereIs) {
    const std::string bytes = encode(example());
    for (std::size_t place = 0; place + 8 <= bytes.size(); place += 8) {
        std::string damaged = bytes;
        damaged.replace(place, 8, 8, '\xff');
        Spec back;
        static_cast<void>(decode(damaged, back));  // ends, within bounds (sanitizers watch)
    }
}

}  // namespace
}  // namespace stack::shim
