#include "engine/network/firewall.h"

#include "base/ip.h"
#include "base/name_service.h"
#include "base/text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace stack::network {
namespace {

using Json = nlohmann::json;

constexpr const char* some_uplink = "eth0";
constexpr const char* somebody4 = "192.0.2.1";    // RFC 5737
constexpr const char* somebody6 = "2001:db8::1";  // RFC 3849
constexpr int deepest_jump = 16;                  // the kernel's, NFT_JUMP_STACK_SIZE

enum class Verdict { none, accept, drop };

/// A network in one family.
struct Site {
    std::string bridge = "stk00000000";
    std::string subnet{};  // empty: there is no such network
    std::string gateway = "10.0.0.1";
    std::string container = "10.0.0.2";
    bool v6 = false;
    bool internal = false;
};

void add_site(std::vector<Site>& sites, const NetworkRecord& network, Family family) {
    const bool v6 = family == Family::v6;
    const auto subnet = parse_prefix(v6 ? network.subnet6 : network.subnet4);
    const auto gateway = parse_ip(v6 ? network.gateway6 : network.gateway4);
    if (!subnet || !gateway)
        return;
    IpAddress container = advance(subnet->address, 2);
    if (container == *gateway)
        container = advance(subnet->address, 1);
    sites.push_back({network.bridge,
                     to_text(*subnet),
                     to_text(*gateway),
                     to_text(container),
                     v6,
                     network.internal});
}

/// Of those whose packets are led by this machine.
std::vector<Site> sites_of(const std::vector<NetworkRecord>& networks) {
    std::vector<Site> sites;
    for (const auto& network : networks)
        for (const Family family : {Family::v4, Family::v6})
            if (network.driver.empty())
                add_site(sites, network, family);
    if (sites.empty())
        sites.emplace_back();
    return sites;
}

struct Packet {
    Flow flow = Flow::outward;
    Site site{};

    [[nodiscard]] std::string from() const {
        return flow == Flow::inward ? some_uplink : site.bridge;
    }

    [[nodiscard]] std::optional<std::string> to() const {
        if (flow == Flow::question)
            return std::nullopt;  // it goes nowhere else
        return flow == Flow::outward ? some_uplink : site.bridge;
    }

    [[nodiscard]] std::string source() const {
        return flow == Flow::inward ? somebody() : site.container;
    }

    [[nodiscard]] std::string destination() const {
        return flow == Flow::outward  ? somebody()
               : flow == Flow::inward ? site.container
                                      : site.gateway;
    }

  private:
    [[nodiscard]] std::string somebody() const { return site.v6 ? somebody6 : somebody4; }
};

/// What the left side of a condition is for the packet; nullopt where that is not known.
std::optional<std::string> value_of(const Json& left, const Packet& packet) {
    const auto part = [&](const char* kind, const char* name) {
        const auto found = left.find(kind);
        return found == left.end() || !found->is_object() ? "" : found->value(name, "");
    };
    const std::string meta = part("meta", "key");
    if (meta == "iifname" || meta == "iif")
        return packet.from();
    if (meta == "oifname" || meta == "oif")
        return packet.to();
    if (meta == "nfproto")
        return packet.site.v6 ? "ipv6" : "ipv4";
    const std::string protocol = part("payload", "protocol");
    if (packet.flow == Flow::question) {
        if (meta == "l4proto")
            return "udp";
        if ((protocol == "udp" || protocol == "th") && part("payload", "field") == "dport")
            return std::to_string(name_service_port);  // our rules have led it there
    }
    if (protocol == (packet.site.v6 ? "ip6" : "ip")) {
        const std::string field = part("payload", "field");
        if (field == "saddr")
            return packet.source();
        if (field == "daddr")
            return packet.destination();
    }
    const std::string connection = part("ct", "key");
    if (connection == "state")
        return "new";
    if (connection == "status")
        return packet.flow == Flow::outward ? "confirmed" : "dnat";
    return std::nullopt;
}

bool fits_text(const std::string& value, const std::string& wanted) {
    if (wanted.ends_with('*'))
        return value.starts_with(std::string_view(wanted).substr(0, wanted.size() - 1));
    return value == wanted;
}

bool fits(const std::string& value, const Json& wanted) {
    if (wanted.is_string())
        return fits_text(value, wanted.get<std::string>());
    if (wanted.is_number_unsigned())
        return value == std::to_string(wanted.get<std::uint64_t>());
    if (wanted.is_array())
        return std::any_of(
            wanted.begin(), wanted.end(), [&](const Json& one) { return fits(value, one); });
    if (!wanted.is_object())
        return false;
    if (const auto set = wanted.find("set"); set != wanted.end())
        return fits(value, *set);
    if (const auto range = wanted.find("range");
        range != wanted.end() && range->is_array() && range->size() == 2 &&
        (*range)[0].is_number_unsigned() && (*range)[1].is_number_unsigned()) {
        const auto number = parse_number<std::uint64_t>(value);
        return number && *number >= (*range)[0].get<std::uint64_t>() &&
               *number <= (*range)[1].get<std::uint64_t>();
    }
    if (const auto given = wanted.find("prefix"); given != wanted.end() && given->is_object()) {
        const auto prefix =
            parse_prefix(given->value("addr", "") + "/" + std::to_string(given->value("len", 0)));
        const auto address = parse_ip(value);
        return prefix && address && contains(*prefix, *address);
    }
    return false;
}

bool is_met(const Json& condition, const Packet& packet) {
    if (!condition.is_object() || !condition.contains("left") || !condition.contains("right"))
        return false;
    const auto value = value_of(condition["left"], packet);
    return value && fits(*value, condition["right"]) != (condition.value("op", "==") == "!=");
}

/// The rules of one table, by chain.
using Chains = std::map<std::string, std::vector<Json>>;

/// A walk of one packet through the chains of one table.
class Walk {
  public:
    Walk(const Chains& chains, Packet packet) : chains_(chains), packet_(std::move(packet)) {}

    [[nodiscard]] Verdict through(const std::string& chain, int depth = 0) const {
        const auto rules = chains_.find(chain);
        if (rules == chains_.end() || depth > deepest_jump)
            return Verdict::none;
        for (const auto& rule : rules->second) {
            const Step step = take(rule, depth);
            if (step.verdict != Verdict::none || step.leaves)
                return step.verdict;
        }
        return Verdict::none;
    }

  private:
    struct Step {
        Verdict verdict = Verdict::none;
        bool leaves = false;  // the chain
    };

    [[nodiscard]] Step take(const Json& rule, int depth) const {
        for (const auto& expression : rule) {
            if (!expression.is_object() || expression.empty())
                return {};
            const std::string kind = expression.begin().key();
            const Json& content = expression.begin().value();
            if (kind == "match" && !is_met(content, packet_))
                return {};
            if (kind == "xt" || kind == "limit")
                return {};
            if (kind == "vmap")
                return look_up(content, depth);
            const Step step = decide(kind, content, depth);
            if (step.verdict != Verdict::none || step.leaves)
                return step;
        }
        return {};
    }

    [[nodiscard]] Step decide(const std::string& kind, const Json& content, int depth) const {
        if (kind == "accept")
            return {Verdict::accept, true};
        if (kind == "drop" || kind == "reject")
            return {Verdict::drop, true};
        if (kind == "return")
            return {Verdict::none, true};
        if (kind == "jump" || kind == "goto")
            return {through(content.value("target", ""), depth + 1), kind == "goto"};
        return {};
    }

    [[nodiscard]] Step look_up(const Json& map, int depth) const {
        const auto value = map.contains("key") ? value_of(map["key"], packet_) : std::nullopt;
        const Json elements = map.contains("data") && map["data"].is_object()
                                  ? map["data"].value("set", Json::array())
                                  : Json::array();
        for (const auto& element : elements)
            if (value && element.is_array() && element.size() == 2 && fits(*value, element[0]) &&
                element[1].is_object() && !element[1].empty())
                return decide(element[1].begin().key(), element[1].begin().value(), depth);
        return {};
    }

    const Chains& chains_;
    Packet packet_;
};

bool is_ufw(const Chains& chains) {
    return std::any_of(chains.begin(), chains.end(), [](const auto& chain) {
        return chain.first.starts_with("ufw-") || chain.first.starts_with("ufw6-");
    });
}

/// What a command says of the first of these, and for whom it is to be said as well.
struct Subjects {
    std::string first;
    std::string others;
};

/// `what` of each site, once.
template <class What>
Subjects subjects_of(const std::vector<Site>& sites, What what) {
    Strings all;
    for (const auto& site : sites)
        if (const std::string one = what(site); std::find(all.begin(), all.end(), one) == all.end())
            all.push_back(one);
    const std::string first = all.front();
    all.erase(all.begin());
    return {first, all.empty() ? "" : ", and so for " + join(all, ", ")};
}

/// By their subnets.
Subjects subnets_of(const std::vector<Site>& sites) {
    if (sites.front().subnet.empty())
        return {"SUBNET", ", for the subnet of each network (`stack network inspect`)"};
    return subjects_of(sites, [](const Site& site) { return site.subnet; });
}

/// By their bridges; `any` follows the beginning of the names that we give.
Subjects bridges_of(const std::vector<Site>& sites, char any) {
    return subjects_of(sites, [any](const Site& site) {
        return site.bridge.starts_with("stk") ? std::string("stk") + any : site.bridge;
    });
}

std::string advice_for(const std::string& table,
                       const std::string& chain,
                       const Chains& chains,
                       Flow flow,
                       const std::vector<Site>& sites) {
    const std::string port = std::to_string(name_service_port);
    const bool asks = flow == Flow::question;
    const Subjects subnets = subnets_of(sites);
    if (is_ufw(chains))
        return (asks ? "ufw allow from " + subnets.first + " to any port " + port
                     : std::string("ufw route allow ") + (flow == Flow::outward ? "from " : "to ") +
                           subnets.first) +
               subnets.others;
    if (table.ends_with(" firewalld"))
        return "firewall-cmd --permanent --zone=trusted --add-source=" + subnets.first +
               subnets.others + ", then firewall-cmd --reload";
    if (chain == "FORWARD" || chain == "INPUT") {
        const std::string program = table.starts_with("ip6 ") ? "ip6tables" : "iptables";
        const bool has_own = !asks && chains.contains("DOCKER-USER");
        const Subjects bridges = bridges_of(sites, '+');
        return program + " -I " + (has_own ? "DOCKER-USER" : chain) +
               (flow == Flow::inward ? " -o " : " -i ") + bridges.first +
               (asks ? " -p udp --dport " + port + " -j ACCEPT, and so for tcp" : " -j ACCEPT") +
               bridges.others;
    }
    const Subjects bridges = bridges_of(sites, '*');
    return "nft insert rule " + table + " " + chain +
           (flow == Flow::inward ? " oifname" : " iifname") + " '\"" + bridges.first + "\"' " +
           (asks ? "meta l4proto '{ tcp, udp }' th dport " + port + " accept" : "accept") +
           bridges.others;
}

struct BaseChain {
    std::string table;
    std::string name;
    bool is_input = false;  // of what is for the host itself; else: of what it passes on
    bool drops = false;     // what no rule decides
};

/// Whether the flow of a network there comes by the chain.
bool concerns(const BaseChain& base, Flow flow, const Site& site) {
    const bool asks = flow == Flow::question;
    if (asks != base.is_input || (asks && site.v6) || (!asks && site.internal))
        return false;  // gateways are asked by IPv4
    return !base.table.starts_with(site.v6 ? "ip " : "ip6 ");
}

/// Those whose flow does not get through.
std::vector<Site> stopped_at(const BaseChain& base,
                             const Chains& chains,
                             Flow flow,
                             std::vector<Site> sites) {
    std::erase_if(sites, [&](const Site& site) {
        if (!concerns(base, flow, site))
            return true;
        const Verdict verdict = Walk(chains, {flow, site}).through(base.name);
        return verdict == Verdict::accept || (verdict == Verdict::none && !base.drops);
    });
    return sites;
}

}  // namespace

std::vector<Obstacle> obstacles(const std::string& ruleset,
                                const std::string& own,
                                const std::vector<NetworkRecord>& networks) {
    const Json json = Json::parse(ruleset, nullptr, false);
    std::map<std::string, Chains> tables;
    std::vector<BaseChain> bases;
    for (const auto& entry : json.is_object() ? json.value("nftables", Json::array()) : Json()) {
        const bool is_chain = entry.contains("chain");
        if (!is_chain && !entry.contains("rule"))
            continue;
        const Json& one = entry[is_chain ? "chain" : "rule"];
        if (one.value("table", "").starts_with(own) || one.value("family", "") == "bridge")
            continue;
        const std::string table = one.value("family", "") + " " + one.value("table", "");
        auto& chains = tables[table];
        if (!is_chain) {
            chains[one.value("chain", "")].push_back(one.value("expr", Json::array()));
            continue;
        }
        chains[one.value("name", "")];
        const std::string hook = one.value("hook", "");
        if (hook == "forward" || hook == "input")
            bases.push_back(
                {table, one.value("name", ""), hook == "input", one.value("policy", "") == "drop"});
    }
    const auto sites = sites_of(networks);
    std::vector<Obstacle> found;
    for (const auto& base : bases)
        for (const Flow flow : {Flow::outward, Flow::inward, Flow::question}) {
            const auto& chains = tables[base.table];
            const auto stopped = stopped_at(base, chains, flow, sites);
            if (!stopped.empty())
                found.push_back({base.table,
                                 base.name,
                                 flow,
                                 advice_for(base.table, base.name, chains, flow, stopped)});
        }
    return found;
}

}  // namespace stack::network
