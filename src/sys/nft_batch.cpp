#include "sys/nft_batch.h"

#include <stack/error.h>

#include "base/digest.h"
#include "sys/fd.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

// First: the kernel's headers leave out what this one has had (linux/libc-compat.h).
// clang-format off
#include <netinet/in.h>
// clang-format on
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace stack::sys {
namespace {

constexpr int message_type(int type) {
    return (NFNL_SUBSYS_NFTABLES << 8) | type;
}

NetlinkMessage message_for(int type, int flags, std::uint8_t family = NFPROTO_INET) {
    nfgenmsg header{};
    header.nfgen_family = family;
    return {message_type(type), flags, raw_bytes(header)};
}

static_assert(static_cast<int>(NftFamily::inet) == NFPROTO_INET);
static_assert(static_cast<int>(NftFamily::bridge) == NFPROTO_BRIDGE);

NetlinkMessage message_for(int type, int flags, NftFamily family) {
    return message_for(type, flags, static_cast<std::uint8_t>(family));
}

std::string name_of_family(std::uint8_t family) {
    switch (family) {
        case NFPROTO_INET:
            return "inet";
        case NFPROTO_IPV4:
            return "ip";
        case NFPROTO_IPV6:
            return "ip6";
        case NFPROTO_ARP:
            return "arp";
        case NFPROTO_BRIDGE:
            return "bridge";
        default:
            return "netdev";
    }
}

/// Where a transaction begins and ends (linux/netfilter/nfnetlink.h).
NetlinkMessage batch_mark(int type) {
    nfgenmsg header{};
    header.res_id = __builtin_bswap16(NFNL_SUBSYS_NFTABLES);
    return {type, 0, raw_bytes(header)};
}

NetlinkAttributes value(const std::string& bytes) {
    NetlinkAttributes attributes;
    attributes.put(NFTA_DATA_VALUE, bytes);
    return attributes;
}

NetlinkAttributes attributes_of(const NftElement& element, bool with_data) {
    NetlinkAttributes attributes;
    attributes.nest(NFTA_SET_ELEM_KEY, value(element.key));
    if (!element.key_end.empty())
        attributes.nest(NFTA_SET_ELEM_KEY_END, value(element.key_end));
    if (!element.data.empty() && with_data)
        attributes.nest(NFTA_SET_ELEM_DATA, value(element.data));
    if (!element.belongs)
        attributes.put_be32(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    return attributes;
}

NetlinkAttributes concatenation(const std::vector<std::uint32_t>& field_lengths) {
    NetlinkAttributes fields;
    for (const auto length : field_lengths) {
        NetlinkAttributes field;
        field.put_be32(NFTA_SET_FIELD_LEN, length);
        fields.nest(NFTA_LIST_ELEM, field);
    }
    NetlinkAttributes description;
    description.nest(NFTA_SET_DESC_CONCAT, fields);
    return description;
}

nlattr* find(nlattr* list, int type) {
    return list == nullptr ? nullptr
                           : nla_find(static_cast<nlattr*>(nla_data(list)), nla_len(list), type);
}

std::string bytes_of(nlattr* data) {
    nlattr* value = find(data, NFTA_DATA_VALUE);
    return value == nullptr ? std::string()
                            : std::string(static_cast<const char*>(nla_data(value)),
                                          static_cast<std::size_t>(nla_len(value)));
}

/// 0 where there is none.
std::uint32_t number_of(nlattr* attribute) {
    return attribute == nullptr ? 0 : __builtin_bswap32(nla_get_u32(attribute));
}

nlattr* find(nlmsghdr* message, int type) {
    return nlmsg_find_attr(message, sizeof(nfgenmsg), type);
}

/// User data is a list of parts, each behind its type and length (libnftnl's udata.h); nft(8)
/// passes over types that it does not know.
constexpr char mark_type = 0x53;

std::string with_mark_header(const std::string& mark) {
    return std::string{mark_type, static_cast<char>(mark.size())} + mark;
}

std::string mark_of(nlmsghdr* rule) {
    const nlattr* data = find(rule, NFTA_RULE_USERDATA);
    const std::string bytes = data == nullptr
                                  ? std::string()
                                  : std::string(static_cast<const char*>(nla_data(data)),
                                                static_cast<std::size_t>(nla_len(data)));
    const bool is_ours = bytes.size() > 2 && bytes[0] == mark_type &&
                         static_cast<std::size_t>(bytes[1]) == bytes.size() - 2;
    return is_ours ? bytes.substr(2) : std::string();
}

std::string text_of(nlmsghdr* message, int type) {
    nlattr* text = find(message, type);
    return text == nullptr ? std::string() : nla_get_string(text);
}

NftElement element_of(nlattr* one) {
    NftElement element;
    element.key = bytes_of(find(one, NFTA_SET_ELEM_KEY));
    element.key_end = bytes_of(find(one, NFTA_SET_ELEM_KEY_END));
    element.data = bytes_of(find(one, NFTA_SET_ELEM_DATA));
    if (nlattr* flags = find(one, NFTA_SET_ELEM_FLAGS))
        element.belongs = (number_of(flags) & NFT_SET_ELEM_INTERVAL_END) == 0;
    return element;
}

NftElements list_elements(NetlinkSocket& socket,
                          const std::string& table,
                          NftFamily family,
                          const std::string& set) {
    auto question = message_for(NFT_MSG_GETSETELEM, 0, family);
    question.put_text(NFTA_SET_ELEM_LIST_TABLE, table);
    question.put_text(NFTA_SET_ELEM_LIST_SET, set);
    NftElements elements;
    socket.dump(question, "list the set " + set + " of table " + table, [&](nlmsghdr* answer) {
        nlattr* list = find(answer, NFTA_SET_ELEM_LIST_ELEMENTS);
        if (list == nullptr)
            return;
        int rest = nla_len(list);
        for (auto* one = static_cast<nlattr*>(nla_data(list)); nla_ok(one, rest);
             one = nla_next(one, &rest))
            elements.insert(element_of(one));
    });
    return elements;
}

/// Without its rules.
NftChainListing chain_of(nlmsghdr* answer) {
    NftChainListing chain;
    nlattr* hook = find(answer, NFTA_CHAIN_HOOK);
    chain.type = text_of(answer, NFTA_CHAIN_TYPE);
    chain.hook = number_of(find(hook, NFTA_HOOK_HOOKNUM));
    chain.priority = static_cast<int>(number_of(find(hook, NFTA_HOOK_PRIORITY)));
    nlattr* policy = find(answer, NFTA_CHAIN_POLICY);
    chain.drops = policy != nullptr && number_of(policy) == NF_DROP;
    return chain;
}

std::optional<NftListing> list_once(NetlinkSocket& socket,
                                    const std::string& table,
                                    NftFamily family) {
    NftListing listing;
    auto question = message_for(NFT_MSG_GETTABLE, 0, family);
    question.put_text(NFTA_TABLE_NAME, table);
    const int error = socket.execute(question, [&](nlmsghdr* answer) {
        listing.dormant = (number_of(find(answer, NFTA_TABLE_FLAGS)) & NFT_TABLE_F_DORMANT) != 0;
    });
    if (error == ENOENT)
        return std::nullopt;
    if (error != 0)
        fail("look at table " + table, error);
    auto chains = message_for(NFT_MSG_GETCHAIN, 0, family);
    socket.dump(chains, "list the chains of table " + table, [&](nlmsghdr* answer) {
        if (text_of(answer, NFTA_CHAIN_TABLE) == table)
            listing.chains[text_of(answer, NFTA_CHAIN_NAME)] = chain_of(answer);
    });
    auto rules = message_for(NFT_MSG_GETRULE, 0, family);
    rules.put_text(NFTA_RULE_TABLE, table);
    socket.dump(rules, "list the rules of table " + table, [&](nlmsghdr* answer) {
        if (text_of(answer, NFTA_RULE_TABLE) == table)
            listing.chains[text_of(answer, NFTA_RULE_CHAIN)].rules.push_back(mark_of(answer));
    });
    auto sets = message_for(NFT_MSG_GETSET, 0, family);
    sets.put_text(NFTA_SET_TABLE, table);
    socket.dump(sets, "list the sets of table " + table, [&](nlmsghdr* answer) {
        if (text_of(answer, NFTA_SET_TABLE) == table)
            listing.sets[text_of(answer, NFTA_SET_NAME)];
    });
    for (auto& [name, elements] : listing.sets)
        elements = list_elements(socket, table, family, name);
    return listing;
}

}  // namespace

NftBatch::NftBatch(std::string table) : table_(std::move(table)) {}

NetlinkMessage& NftBatch::add(NftFamily family, int type, int flags) {
    return messages_.emplace_back(message_for(type, flags, family));
}

void NftBatch::ensure_table(NftFamily family) {
    add(family, NFT_MSG_NEWTABLE, NLM_F_CREATE).put_text(NFTA_TABLE_NAME, table_);
}

void NftBatch::remove_table(NftFamily family) {
    add(family, NFT_MSG_DELTABLE, 0).put_text(NFTA_TABLE_NAME, table_);
}

void NftBatch::add_set(const NftSet& set) {
    auto& message = add(set.family, NFT_MSG_NEWSET, NLM_F_CREATE);
    message.put_text(NFTA_SET_TABLE, table_);
    message.put_text(NFTA_SET_NAME, set.name);
    message.put_be32(NFTA_SET_FLAGS, set.flags);
    message.put_be32(NFTA_SET_KEY_TYPE, set.key_type);
    message.put_be32(NFTA_SET_KEY_LEN, set.key_length);
    if (set.data_length != 0) {
        message.put_be32(NFTA_SET_DATA_TYPE, set.data_type);
        message.put_be32(NFTA_SET_DATA_LEN, set.data_length);
    }
    // The kernel wants one; names are what is used here.
    message.put_be32(NFTA_SET_ID, static_cast<std::uint32_t>(messages_.size()));
    if (!set.field_lengths.empty())
        message.put(NFTA_SET_DESC | NLA_F_NESTED, concatenation(set.field_lengths).bytes());
    message.put(NFTA_SET_USERDATA, set.user_data);
}

void NftBatch::add_chain(const NftChain& chain) {
    auto& message = add(chain.family, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    message.put_text(NFTA_CHAIN_TABLE, table_);
    message.put_text(NFTA_CHAIN_NAME, chain.name);
    if (chain.type.empty())
        return;
    message.put_text(NFTA_CHAIN_TYPE, chain.type);
    message.put_be32(NFTA_CHAIN_POLICY, NF_ACCEPT);
    message.nest(NFTA_CHAIN_HOOK, [&] {
        message.put_be32(NFTA_HOOK_HOOKNUM, chain.hook);
        message.put_be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority));
    });
}

void NftBatch::add_rules(const NftChain& chain) {
    for (const auto& rule : chain.rules) {
        auto& message = add(chain.family, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
        message.put_text(NFTA_RULE_TABLE, table_);
        message.put_text(NFTA_RULE_CHAIN, chain.name);
        message.put(NFTA_RULE_EXPRESSIONS | NLA_F_NESTED, rule.bytes());
        message.put(NFTA_RULE_USERDATA, with_mark_header(rule_mark(rule)));
    }
}

/// In pieces that a message has room for.
void NftBatch::change_elements(int type,
                               int flags,
                               const NftSet& set,
                               const NftElements& elements) {
    constexpr std::size_t most = 2048;  // bytes of elements; an element has no more than 200
    const auto send = [&](const NetlinkAttributes& list) {
        if (list.bytes().empty())
            return;
        auto& message = add(set.family, type, flags);
        message.put_text(NFTA_SET_ELEM_LIST_TABLE, table_);
        message.put_text(NFTA_SET_ELEM_LIST_SET, set.name);
        message.put(NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, list.bytes());
    };
    const bool has_intervals = std::any_of(
        elements.begin(), elements.end(), [](const auto& element) { return !element.belongs; });
    NetlinkAttributes list;
    for (const auto& element : elements) {
        list.nest(NFTA_LIST_ELEM, attributes_of(element, type == NFT_MSG_NEWSETELEM));
        // Not between where an interval of plain keys begins and where it is over.
        const bool is_open = has_intervals && element.belongs && element.key_end.empty();
        if (list.bytes().size() > most && !is_open)
            send(std::exchange(list, {}));
    }
    send(list);
}

void NftBatch::add_elements(const NftSet& set, const NftElements& elements) {
    change_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, elements);
}

void NftBatch::remove_elements(const NftSet& set, const NftElements& elements) {
    change_elements(NFT_MSG_DELSETELEM, 0, set, elements);
}

std::string NftBatch::try_commit(NetlinkSocket& socket) {
    if (messages_.empty())
        return {};
    std::vector<NetlinkMessage> batch;
    batch.push_back(batch_mark(NFNL_MSG_BATCH_BEGIN));
    for (auto& message : messages_)
        batch.push_back(std::move(message));
    messages_.clear();
    batch.push_back(batch_mark(NFNL_MSG_BATCH_END));
    const int error = socket.execute_batch(batch);
    if (error == 0)
        return {};
    const std::string reason = std::strerror(error);
    return socket.last_message().empty() ? reason : reason + " (" + socket.last_message() + ")";
}

std::string rule_mark(const NetlinkAttributes& rule) {
    constexpr std::size_t digits = 32;
    return sha256_hex(rule.bytes()).substr(0, digits);
}

NftChainListing listing_for(const NftChain& chain) {
    NftChainListing listing{chain.type, chain.hook, chain.priority, false, {}};
    for (const auto& rule : chain.rules)
        listing.rules.push_back(rule_mark(rule));
    return listing;
}

std::uint32_t nft_generation(NetlinkSocket& socket) {
    auto message = message_for(NFT_MSG_GETGEN, 0);
    std::uint32_t generation = 0;
    socket.execute_or_throw(
        message, "ask for the generation of the nftables", [&](nlmsghdr* answer) {
            generation = number_of(find(answer, NFTA_GEN_ID));
        });
    return generation;
}

std::vector<std::string> list_nft_tables(NetlinkSocket& socket) {
    std::vector<std::string> tables;
    auto message = message_for(NFT_MSG_GETTABLE, 0, NFPROTO_UNSPEC);
    socket.dump(message, "list the tables of the packet filter", [&](nlmsghdr* answer) {
        const auto* header = static_cast<const nfgenmsg*>(nlmsg_data(answer));
        tables.push_back(name_of_family(header->nfgen_family) + " " +
                         text_of(answer, NFTA_TABLE_NAME));
    });
    return tables;
}

/// It takes several questions: what changes meanwhile has them asked again.
std::optional<NftListing> list_nft_table(NetlinkSocket& socket,
                                         const std::string& table,
                                         NftFamily family) {
    constexpr int patience = 10;
    for (int i = 0;; ++i) {
        static_cast<void>(socket.was_interrupted());
        const auto generation = nft_generation(socket);
        std::optional<NftListing> listing;
        try {
            listing = list_once(socket, table, family);
        } catch (const Error& error) {
            if (error.code() != std::errc::no_such_file_or_directory)
                throw;  // else it has just gone
        }
        if ((!socket.was_interrupted() && nft_generation(socket) == generation) || i == patience)
            return listing;
    }
}

}  // namespace stack::sys
