// What lists, `inspect` and `port` say of a container's ports.

#include "cli/port_list.h"

#include "cli/describe.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

ObservedContainer with(std::vector<ObservedPort> ports) {
    ObservedContainer container;
    container.state = ContainerState::running;
    container.ports = std::move(ports);
    return container;
}

TEST(PortList, HasBothFamiliesAndWhatIsOnlyExposed) {
    EXPECT_EQ(ports_text(with({{"", 8080, 80, Protocol::tcp},
                               {"127.0.0.1", 443, 443, Protocol::tcp},
                               {"::1", 5353, 53, Protocol::udp},
                               {"", 0, 9000, Protocol::sctp}})),
              "127.0.0.1:443->443/tcp, 9000/sctp, [::1]:5353->53/udp, 0.0.0.0:8080->80/tcp, "
              "[::]:8080->80/tcp");
}

TEST(PortList, NeighboursAreOneWhereTheirNumbersAreTheHosts) {
    EXPECT_EQ(ports_text(with({{"", 9001, 9001, Protocol::udp},
                               {"", 9000, 9000, Protocol::udp},
                               {"", 9002, 9002, Protocol::udp}})),
              "0.0.0.0:9000-9002->9000-9002/udp, [::]:9000-9002->9000-9002/udp");
    EXPECT_EQ(
        ports_text(with(
            {{"", 0, 1, Protocol::tcp}, {"", 0, 2, Protocol::tcp}, {"", 0, 4, Protocol::tcp}})),
        "1-2/tcp, 4/tcp");
    EXPECT_EQ(ports_text(
                  with({{"10.0.0.1", 81, 80, Protocol::tcp}, {"10.0.0.1", 82, 81, Protocol::tcp}})),
              "10.0.0.1:81->80/tcp, 10.0.0.1:82->81/tcp");
}

TEST(PortList, IsEmptyWhereNoneLeadsToIt) {
    auto container = with({{"", 80, 80, Protocol::tcp}, {"", 0, 81, Protocol::tcp}});
    container.state = ContainerState::exited;
    EXPECT_EQ(ports_text(container), "");
    EXPECT_EQ(ps_json(container, Time{})["Publishers"], nlohmann::json::array());
    container.state = ContainerState::paused;
    EXPECT_EQ(ports_text(container), "0.0.0.0:80->80/tcp, [::]:80->80/tcp, 81/tcp");
    Service host;
    host.network_mode = "host";
    container.service_config = std::move(host);
    EXPECT_EQ(ports_text(container), "");
}

TEST(PortList, PublishersAreTheSame) {
    const auto json =
        ps_json(with({{"", 80, 80, Protocol::tcp}, {"", 0, 53, Protocol::udp}}), Time{});
    ASSERT_EQ(json["Publishers"].size(), 3U) << json;
    EXPECT_EQ(json["Publishers"][0],
              (nlohmann::json{
                  {"URL", ""}, {"TargetPort", 53}, {"PublishedPort", 0}, {"Protocol", "udp"}}));
    EXPECT_EQ(json["Publishers"][1]["URL"], "0.0.0.0");
    EXPECT_EQ(json["Publishers"][2]["URL"], "::");
    EXPECT_EQ(json["Ports"], "53/udp, 0.0.0.0:80->80/tcp, [::]:80->80/tcp");
}

}  // namespace
}  // namespace stack::cli
