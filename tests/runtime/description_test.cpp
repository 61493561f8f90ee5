// What of the host's resolver a build step can use.

#include "engine/runtime/description.h"

#include <gtest/gtest.h>

namespace stack::runtime {

TEST(ReachableServers, AreThoseThatAreNotOnTheHostsLoopback) {
    const std::string stub = "# systemd-resolved\nnameserver 127.0.0.53\noptions edns0\n";
    EXPECT_FALSE(has_reachable_server(stub));
    EXPECT_EQ(with_reachable_servers(stub),
              "# systemd-resolved\noptions edns0\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n");
    const std::string mixed = "nameserver ::1\nnameserver\t192.0.2.1\nsearch a b\n";
    EXPECT_TRUE(has_reachable_server(mixed));
    EXPECT_EQ(with_reachable_servers(mixed), "nameserver\t192.0.2.1\nsearch a b\n");
    EXPECT_EQ(with_reachable_servers(""), "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
}

}  // namespace stack::runtime
