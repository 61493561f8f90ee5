#include "engine/network/record.h"

#include <stack/error.h>

#include "engine/network/names.h"
#include "engine/network/sockets.h"
#include "sys/file.h"
#include "tests/network/bed.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace stack::network {
namespace {

TEST(NetworkRecord, IsReadAsItWasWritten) {
    const test::TemporaryRoot root;
    const Paths paths{root.path(), root.path(), ""};
    EXPECT_EQ(find_stored(paths, "n"), std::nullopt);
    const StoredNetwork network{
        .record = {.name = "n", .bridge = "stk1", .group = 7, .internal = true},
        .range4 = "10.5.1.0/24",
        .reserved = {{"printer", "10.5.1.1"}}};
    sys::ensure_directory(networks_directory(paths));
    store(paths, network);
    EXPECT_EQ(find_stored(paths, "n"), network);
    EXPECT_EQ(stored_names(paths), Strings{"n"});
    remove_stored(paths, "n");
    EXPECT_EQ(stored_names(paths), Strings{});
}

TEST(NetworkRecord, ThatIsDamagedIsItsOwnTroubleOnly) {
    const test::TemporaryRoot root;
    const Paths paths{root.path(), root.path(), ""};
    sys::ensure_directory(networks_directory(paths));
    for (const std::string name : {"a", "b", "c"})
        store(paths, {.record = {.name = name}});
    sys::replace_file(networks_directory(paths) + "/a.json", "");
    sys::replace_file(networks_directory(paths) + "/c.json", R"([{"network": {"name": "c"}}])");
    const auto readable = load_stored(paths);
    ASSERT_EQ(readable.size(), 1U);
    EXPECT_EQ(readable.front().record.name, "b");
    EXPECT_EQ(
        damaged_records(paths),
        (Strings{networks_directory(paths) + "/a.json", networks_directory(paths) + "/c.json"}));
    EXPECT_THROW(static_cast<void>(find_stored(paths, "a")), Error);
}

TEST(Leases, SurviveWritingAndLoseOnlyTornLines) {
    const std::vector<Lease> leases{{"10.5.0.2", "fd00::2", "cafe", "shop/web/1"},
                                    {"10.5.0.3", "", "", "shop/db/1"}};
    EXPECT_EQ(to_text(leases), "10.5.0.2 fd00::2 cafe shop/web/1\n10.5.0.3 - - shop/db/1\n");
    EXPECT_EQ(parse_leases(to_text(leases)), leases);
    EXPECT_EQ(parse_leases(to_text(leases) + "10.5.0.4 - caf"), leases);
}

TEST(Leases, KeepAHardwareAddressOfOnesOwn) {
    const Lease lease{"10.5.0.2", "", "cafe", "shop/web/1", "92:d0:c6:0a:29:33"};
    EXPECT_EQ(to_text({lease}), "10.5.0.2 - cafe shop/web/1 92:d0:c6:0a:29:33\n");
    EXPECT_EQ(parse_leases(to_text({lease})), std::vector{lease});
}

TEST(Leases, AreAddedBehindATornLine) {
    const test::TemporaryRoot root;
    const Paths paths{root.path(), root.path(), ""};
    sys::ensure_directory(networks_directory(paths));
    const Lease db{"10.5.0.3", "", "beef", "shop/db/1"};
    store_leases(paths, "n", {{"10.5.0.2", "", "", "shop/web/1"}, db});
    sys::write_all(sys::open_file(networks_directory(paths) + "/n.leases", O_WRONLY | O_APPEND),
                   "10.5.0.4 - c");
    const Lease web{"10.5.0.5", "", "cafe", "shop/web/1"};
    append_lease(paths, "n", web);
    EXPECT_EQ(load_leases(paths, "n"), (std::vector{db, web}))
        << "and what the key remembered is forgotten";
}

TEST(PublicationRecord, SurvivesWriting) {
    const Publication publication{
        "10.5.0.2", "", {{"", 80, 8080, Protocol::tcp}, {"::", 53, 53, Protocol::udp}}};
    EXPECT_EQ(to_text(publication), "to 10.5.0.2 -\nport tcp - 80 8080\nport udp :: 53 53\n");
    EXPECT_EQ(parse_publication(to_text(publication)), publication);
    EXPECT_EQ(parse_publication("port tcp - 99999 1\nport foo - 1 1\n").ports,
              std::vector<PublishedPort>{});
}

TEST(NameTable, ListensEverywhereAndForwardsNothingOfInternalNetworks) {
    const std::vector<NameEntry> entries{{"10.1.0.1", "fd01::1", "0123456789ab", {"10.1.0.2"}},
                                         {"10.1.0.1", "fd01::1", "web", {"10.1.0.2", "fd01::2"}}};
    const NameTable table{.gateways = {{"10.1.0.1", "10.1.0.0/24"},
                                       {"fd01::1", "fd01::/64"},
                                       {"10.2.0.1", "10.2.0.0/24"}},
                          .entries = entries,
                          .own = {{"10.1.0.1", "10.1.0.2", "far", {"10.7.0.2"}}},
                          .beside = {{"10.1.0.1", "10.1.0.2", "10.2.0.1", "10.2.0.2"}},
                          .referrals = {{"10.1.0.1", "10.1.0.2"}},
                          .upstreams = {{"10.1.0.1", "10.1.0.3", {"9.9.9.9", "::1"}}}};
    EXPECT_EQ(names_text(table, {"10.2.0.1"}),
              "listen 10.1.0.1\n"
              "askers 10.1.0.1 10.1.0.0/24\n"
              "listen 10.2.0.1 none\n"
              "askers 10.2.0.1 10.2.0.0/24\n"
              "listen fd01::1\n"
              "askers fd01::1 fd01::/64\n"
              "name 10.1.0.1 web 10.1.0.2 fd01::2\n"
              "name fd01::1 web 10.1.0.2 fd01::2\n"
              "name 10.1.0.1 0123456789ab 10.1.0.2\n"
              "name fd01::1 0123456789ab 10.1.0.2\n"
              "also 10.1.0.1 10.1.0.2 far 10.7.0.2\n"
              "beside 10.1.0.1 10.1.0.2 10.2.0.1 10.2.0.2\n"
              "refer 10.1.0.1 10.1.0.2\n"
              "upstream 10.1.0.1 10.1.0.3 9.9.9.9 ::1\n");
}

TEST(NameTable, KnowsAServerOnTheAskersLoopback) {
    EXPECT_TRUE(asks_itself({"9.9.9.9", "127.0.0.1"}));
    EXPECT_TRUE(asks_itself({"::1"}));
    EXPECT_FALSE(asks_itself({"9.9.9.9", "fd00::1", "nonsense"}));
}

TEST(AskedResolvers, AreThreeWithTheOneThatKnowsTheRestOfTheWorld) {
    const auto inside = resolver_rank(true, "z");
    const auto a = resolver_rank(false, "a");
    const auto b = resolver_rank(false, "b");
    const auto c = resolver_rank(false, "c");
    EXPECT_EQ(asked_resolvers({a, inside}), (std::set<ResolverRank>{inside, a}));
    EXPECT_EQ(asked_resolvers({c, b, a, inside}), (std::set<ResolverRank>{inside, a, c}));
}

TEST(BoundSockets, AreListenersOfTcpAndAllOfUdp) {
    constexpr const char* table =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
        "0 4711 1 0\n"
        "   1: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        "
        "0 4712 1 0\n";
    const BoundSocket listener{*parse_ip("127.0.0.1"), 8080, 4711};
    EXPECT_EQ(parse_bound_sockets(table, Protocol::tcp), std::vector{listener});
    EXPECT_EQ(parse_bound_sockets(table, Protocol::udp).size(), 2U);
}

TEST(BoundSockets, CollideWhereOneOfThemIsEverywhere) {
    const auto collide_texts = [](const char* held, const char* wanted) {
        return collide(*parse_ip(held), *parse_ip(wanted));
    };
    EXPECT_TRUE(collide_texts("0.0.0.0", "127.0.0.1"));
    EXPECT_TRUE(collide_texts("127.0.0.1", "0.0.0.0"));
    EXPECT_TRUE(collide_texts("::", "0.0.0.0"));
    EXPECT_FALSE(collide_texts("127.0.0.1", "127.0.0.2"));
    EXPECT_FALSE(collide_texts("::1", "127.0.0.1"));
}

}  // namespace
}  // namespace stack::network
