// What other people's firewalls do to the packets of containers.

#include "engine/network/firewall.h"

#include "base/text.h"

#include <gtest/gtest.h>

namespace stack::network {
namespace {

/// A table `inet filter` with a forward chain and these rules in it.
std::string ruleset(const std::string& policy,
                    const std::string& rules,
                    const std::string& table = R"("family": "inet", "table": "filter")") {
    std::string text = R"({"nftables": [{"metainfo": {}}, {"chain": {)" + table +
                       R"(, "name": "forward", "type": "filter", "hook": "forward", "prio": 0,
                           "policy": ")" +
                       policy + R"("}}, {"chain": {)" + table + R"(, "name": "more"}})";
    if (!rules.empty())
        text += ", " + rules;
    return text + "]}";
}

std::string rule(const std::string& expressions, const std::string& chain = "forward") {
    return R"({"rule": {"family": "inet", "table": "filter", "chain": ")" + chain +
           R"(", "expr": [)" + expressions + "]}}";
}

std::string match(const std::string& left, const std::string& op, const std::string& right) {
    return R"({"match": {"op": ")" + op + R"(", "left": )" + left + R"(, "right": )" + right + "}}";
}

const std::string from = R"({"meta": {"key": "iifname"}})";
const std::string to = R"({"meta": {"key": "oifname"}})";
const std::string state = R"({"ct": {"key": "state"}})";
const std::string accept = R"({"accept": null})";
const std::string drop = R"({"drop": null})";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    return text.replace(text.find(what), what.size(), with);
}

/// "out", "in" and "names", as many as are.
std::string dropped(const std::string& text) {
    std::string ways;
    for (const auto& one : obstacles(text, "stack"))
        ways += std::string(ways.empty() ? "" : " ") + (one.flow == Flow::outward  ? "out"
                                                        : one.flow == Flow::inward ? "in"
                                                                                   : "names");
    return ways;
}

}  // namespace

TEST(Obstacles, AreNotWhereNothingIsDropped) {
    EXPECT_EQ(dropped(""), "");
    EXPECT_EQ(dropped("{}"), "");
    EXPECT_EQ(dropped(ruleset("accept", "")), "");
    EXPECT_EQ(dropped(ruleset("drop", "", R"("family": "inet", "table": "stack_x")")), "");
    EXPECT_EQ(dropped(ruleset("accept", rule(match(from, "==", "\"wg0\"") + "," + drop))), "");
}

TEST(Obstacles, AreAPolicyAndARuleThatDrops) {
    EXPECT_EQ(dropped(ruleset("drop", "")), "out in");
    EXPECT_EQ(dropped(ruleset("accept", rule(R"({"counter": {}}, {"reject": {}})"))), "out in");
    const std::string all = obstacles(ruleset("drop", ""), "stack").front().advice;
    EXPECT_EQ(all, "nft insert rule inet filter forward iifname '\"stk*\"' accept");
}

TEST(Obstacles, AreGoneWhenTheAdviceIsTaken) {
    const std::string out = rule(match(from, "==", "\"stk*\"") + "," + accept);
    const std::string in = rule(match(to, "==", R"({"set": ["lo", "stk*"]})") + "," + accept);
    EXPECT_EQ(dropped(ruleset("drop", out)), "in");
    EXPECT_EQ(dropped(ruleset("drop", out + "," + in)), "");
}

TEST(Obstacles, AreFoundBehindJumpsMapsAndStates) {
    const std::string known =
        rule(match(state, "in", R"(["established", "related"])") + "," + accept);
    const std::string jump = rule(R"({"jump": {"target": "more"}})");
    EXPECT_EQ(dropped(ruleset("accept", known + "," + jump + "," + rule(drop, "more"))), "out in");
    EXPECT_EQ(dropped(ruleset("drop", jump + "," + rule(R"({"return": null})", "more"))), "out in");
    EXPECT_EQ(dropped(ruleset("drop", jump + "," + rule(accept, "more"))), "");
    EXPECT_EQ(dropped(ruleset("accept",
                              rule(R"({"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [
                                   ["invalid", {"drop": null}], ["new", {"drop": null}]]}}})"))),
              "out in");
    const std::string nat =
        rule(match(R"({"ct": {"key": "status"}})", "in", "\"dnat\"") + "," + accept);
    EXPECT_EQ(dropped(ruleset("drop", nat)), "out");
    const std::string subnet = rule(match(R"({"payload": {"protocol": "ip", "field": "saddr"}})",
                                          "==",
                                          R"({"prefix": {"addr": "10.0.0.0", "len": 8}})") +
                                    "," + accept);
    EXPECT_EQ(dropped(ruleset("drop", subnet)), "in");
    const std::string loop = rule(R"({"jump": {"target": "more"}})", "more");
    EXPECT_EQ(dropped(ruleset("accept", jump + "," + loop)), "");
}

TEST(Obstacles, AreInTheWayOfQuestionsForNames) {
    const std::string input =
        replaced(ruleset("drop", ""), R"("hook": "forward")", R"("hook": "input")");
    const auto with = [&](const std::string& rules) {
        return dropped(
            replaced(ruleset("drop", rules), R"("hook": "forward")", R"("hook": "input")"));
    };
    EXPECT_EQ(with(""), "names");
    EXPECT_EQ(with(rule(match(to, "==", "\"stk*\"") + "," + accept)), "names");
    EXPECT_EQ(with(rule(match(from, "==", "\"stk*\"") + "," + accept)), "");
    const std::string port = R"({"payload": {"protocol": "udp", "field": "dport"}})";
    EXPECT_EQ(with(rule(match(port, "==", "53") + "," + accept)), "names");
    EXPECT_EQ(with(rule(match(port, "==", R"({"range": [1024, 65535]})") + "," + accept)), "");
    EXPECT_EQ(with(rule(match(port, "==", "15353") + "," + accept)), "");
    EXPECT_EQ(
        with(rule(match(R"({"meta": {"key": "l4proto"}})", "==", R"({"set": ["tcp", "udp"]})") +
                  "," +
                  match(R"({"payload": {"protocol": "th", "field": "dport"}})",
                        "==",
                        R"({"set": [22, 15353]})") +
                  "," + accept)),
        "");
    EXPECT_EQ(obstacles(input, "stack").at(0).advice,
              "nft insert rule inet filter forward iifname '\"stk*\"' meta l4proto '{ tcp, udp }' "
              "th dport 15353 accept");
}

TEST(Obstacles, AreThoseOfTheNetworksThatThereAre) {
    const NetworkRecord first{
        .name = "a", .bridge = "stk11111111", .subnet4 = "10.1.0.0/24", .gateway4 = "10.1.0.1"};
    const NetworkRecord second{.name = "b",
                               .bridge = "br-mine",
                               .subnet4 = "10.2.0.0/24",
                               .gateway4 = "10.2.0.2",
                               .subnet6 = "fd00::/64",
                               .gateway6 = "fd00::1"};
    const NetworkRecord inside{.name = "c",
                               .bridge = "stk33333333",
                               .subnet4 = "10.3.0.0/24",
                               .gateway4 = "10.3.0.1",
                               .internal = true};
    const auto of_subnet = [](const std::string& field, const std::string& address) {
        return rule(match(R"({"payload": {"protocol": "ip", "field": ")" + field + "\"}}",
                          "==",
                          R"({"prefix": {"addr": ")" + address + R"(", "len": 24}})") +
                    "," + accept);
    };
    const auto found = [&](const std::string& rules,
                           const std::vector<NetworkRecord>& networks,
                           const std::string& table) {
        Strings advice;
        for (const auto& one : obstacles(ruleset("drop", rules, table), "stack", networks))
            advice.push_back(one.advice);
        return join(advice, " | ");
    };
    const std::string inet = R"("family": "inet", "table": "filter")";
    EXPECT_EQ(
        found(of_subnet("saddr", "10.1.0.0") + "," + of_subnet("daddr", "10.1.0.0"), {first}, inet),
        "");
    EXPECT_EQ(found(of_subnet("saddr", "10.1.0.0") + "," + of_subnet("daddr", "10.1.0.0"),
                    {first, second, inside},
                    inet),
              "nft insert rule inet filter forward iifname '\"br-mine\"' accept | "
              "nft insert rule inet filter forward oifname '\"br-mine\"' accept");
    EXPECT_EQ(found("", {first, second}, inet),
              "nft insert rule inet filter forward iifname '\"stk*\"' accept, and so for br-mine | "
              "nft insert rule inet filter forward oifname '\"stk*\"' accept, and so for br-mine");
    EXPECT_EQ(found("", {inside}, inet), "") << "nothing comes out of it, nor in";
    const std::string ip6 = R"("family": "ip6", "table": "filter")";
    EXPECT_EQ(found("", {first}, ip6), "");
    EXPECT_NE(found("", {second}, ip6), "");
}

TEST(Obstacles, NameTheSubnetsWhereThatIsHowTheFirewallSpeaks) {
    const std::vector<NetworkRecord> networks{
        {.name = "a", .bridge = "x", .subnet4 = "10.1.0.0/24", .gateway4 = "10.1.0.1"},
        {.name = "b", .bridge = "y", .subnet4 = "10.2.0.0/24", .gateway4 = "10.2.0.1"}};
    const auto advice = [&](const std::string& table, const std::string& chain) {
        const std::string where = R"("family": "inet", "table": ")" + table + "\"";
        return obstacles(R"({"nftables": [{"chain": {)" + where +
                             R"(, "name": "FORWARD", "policy": "drop", "hook": "forward"}},
                                {"chain": {)" +
                             where + R"(, "name": ")" + chain + R"("}}]})",
                         "stack",
                         networks)
            .at(0)
            .advice;
    };
    EXPECT_EQ(advice("filter", "ufw-before-forward"),
              "ufw route allow from 10.1.0.0/24, and so for 10.2.0.0/24");
    EXPECT_EQ(advice("firewalld", "x"),
              "firewall-cmd --permanent --zone=trusted --add-source=10.1.0.0/24, and so for "
              "10.2.0.0/24, then firewall-cmd --reload");
}

TEST(Obstacles, HaveTheAdviceOfTheirMaker) {
    const auto advice = [](const std::string& family,
                           const std::string& table,
                           const std::string& chain,
                           const std::string& other,
                           const std::string& hook = "forward") {
        const std::string where = R"("family": ")" + family + R"(", "table": ")" + table + "\"";
        return obstacles(R"({"nftables": [{"chain": {)" + where + R"(, "name": ")" + chain +
                             R"(", "policy": "drop", "hook": ")" + hook + R"("}}, {"chain": {)" +
                             where + R"(, "name": ")" + other + R"("}}]})",
                         "stack")
            .at(0)
            .advice;
    };
    EXPECT_EQ(advice("ip", "filter", "FORWARD", "x"), "iptables -I FORWARD -i stk+ -j ACCEPT");
    EXPECT_EQ(advice("ip", "filter", "FORWARD", "DOCKER-USER"),
              "iptables -I DOCKER-USER -i stk+ -j ACCEPT");
    EXPECT_TRUE(advice("ip", "filter", "FORWARD", "ufw-before-forward")
                    .starts_with("ufw route allow from SUBNET"));
    EXPECT_TRUE(advice("inet", "firewalld", "filter_FORWARD", "x").starts_with("firewall-cmd "));
    EXPECT_EQ(advice("ip", "filter", "INPUT", "DOCKER-USER", "input"),
              "iptables -I INPUT -i stk+ -p udp --dport 15353 -j ACCEPT, and so for tcp");
    EXPECT_TRUE(advice("ip", "filter", "INPUT", "ufw-before-input", "input")
                    .starts_with("ufw allow from SUBNET to any port 15353"));
}

}  // namespace stack::network
