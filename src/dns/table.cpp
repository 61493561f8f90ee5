#include "dns/table.h"

#include "base/text.h"

namespace stack::dns {
namespace {

/// Seconds: a replica that went away is asked for no longer than that.
constexpr std::uint32_t time_to_live = 2;

std::vector<std::string> words_of(std::string_view line) {
    auto words = split(replace_all(std::string(line), "\t", " "), ' ');
    std::erase(words, "");
    return words;
}

std::vector<IpAddress> addresses_from(const std::vector<std::string>& words, std::size_t first) {
    std::vector<IpAddress> addresses;
    for (std::size_t i = first; i < words.size(); ++i) {
        if (const auto address = parse_ip(words[i]))
            addresses.push_back(*address);
    }
    return addresses;
}

void add_listen(Table& table, const std::vector<std::string>& words) {
    const auto gateway = parse_ip(words[1]);
    if (!gateway)
        return;
    Scope& scope = table[*gateway];
    scope.forwards = words.size() < 3 || words[2] != "none";
    scope.servers = addresses_from(words, 2);
}

/// The name is the word at `at`, its addresses stand behind it.
void add_name(Names& names, const std::vector<std::string>& words, std::size_t at) {
    if (words.size() <= at)
        return;
    auto& known = names.addresses[to_lower(words[at])];
    for (const auto& address : addresses_from(words, at + 1)) {
        known.push_back(address);
        names.pointers.emplace(address, words[at]);
    }
}

Scope* scope_at(Table& table, const std::string& gateway) {
    const auto address = parse_ip(gateway);
    const auto scope = address ? table.find(*address) : table.end();
    return scope == table.end() ? nullptr : &scope->second;
}

void add_known(Table& table, const std::vector<std::string>& words) {
    if (Scope* scope = scope_at(table, words[1]))
        add_name(scope->names, words, 2);
}

void add_also(Table& table, const std::vector<std::string>& words) {
    Scope* scope = scope_at(table, words[1]);
    const auto asker = words.size() < 3 ? std::nullopt : parse_ip(words[2]);
    if (scope != nullptr && asker)
        add_name(scope->also[*asker], words, 3);
}

void add_askers(Table& table, const std::vector<std::string>& words) {
    Scope* scope = scope_at(table, words[1]);
    if (scope != nullptr && words.size() > 2)
        scope->askers = parse_prefix(words[2]);
}

void add_called(Table& table, const std::vector<std::string>& words) {
    Scope* scope = scope_at(table, words[1]);
    if (scope != nullptr && words.size() > 2)
        scope->network = to_lower(words[2]);
}

void add_referral(Table& table, const std::vector<std::string>& words) {
    const auto asker = addresses_from(words, 2);
    if (Scope* scope = scope_at(table, words[1]))
        scope->referred.insert(asker.begin(), asker.end());
}

void add_beside(Table& table, const std::vector<std::string>& words) {
    Scope* scope = scope_at(table, words[1]);
    const auto addresses = addresses_from(words, 2);
    if (scope != nullptr && addresses.size() == 3)
        scope->beside[addresses[0]].push_back({addresses[1], addresses[2]});
}

void add_upstream(Table& table, const std::vector<std::string>& words) {
    Scope* scope = scope_at(table, words[1]);
    const auto asker = words.size() < 3 ? std::nullopt : parse_ip(words[2]);
    if (scope == nullptr || !asker)
        return;
    auto servers = addresses_from(words, 3);
    // Asked to ask us, we would ask ourselves, without end.
    std::erase_if(servers, [&](const IpAddress& server) { return table.count(server) != 0; });
    scope->upstreams[*asker] = std::move(servers);
}

const std::vector<IpAddress>* find_name(const Names& names, const std::string& name) {
    const auto found = names.addresses.find(name);
    return found == names.addresses.end() ? nullptr : &found->second;
}

const std::vector<IpAddress>* find_searched(const Names& names,
                                            const std::string& name,
                                            const std::vector<std::string>& search) {
    if (const auto* found = find_name(names, name))
        return found;
    for (const auto& domain : search) {
        const std::string ending = "." + domain;
        if (!name.ends_with(ending))
            continue;
        if (const auto* found = find_name(names, name.substr(0, name.size() - ending.size())))
            return found;
    }
    return nullptr;
}

std::optional<Answer> find_pointer(const Names& names, const Query& query) {
    const auto address = parse_reverse_name(query.name);
    const auto found = address ? names.pointers.find(*address) : names.pointers.end();
    if (found == names.pointers.end())
        return std::nullopt;
    Answer answer;
    answer.pointer = query.type == type_ptr || query.type == type_any ? found->second : "";
    answer.ttl = time_to_live;
    return answer;
}

std::optional<Answer> find_known(const Names& names,
                                 const Query& query,
                                 const std::vector<std::string>& search) {
    if (const auto* addresses = find_searched(names, query.name, search))
        return Answer{.addresses = *addresses, .ttl = time_to_live};
    return find_pointer(names, query);
}

/// Of one network, without that one's name.
std::optional<Answer> find_plain(const Scope& scope,
                                 const IpAddress& asker,
                                 const Query& query,
                                 const std::vector<std::string>& search) {
    if (const auto own = scope.also.find(asker); own != scope.also.end())
        if (auto answer = find_known(own->second, query, search))
            return answer;
    return find_known(scope.names, query, search);
}

/// Of one network. As in Docker, web.shop_default is the web of that one.
std::optional<Answer> find_known(const Scope& scope,
                                 const IpAddress& asker,
                                 const Query& query,
                                 const std::vector<std::string>& search) {
    if (auto answer = find_plain(scope, asker, query, search))
        return answer;
    const std::string ending = "." + scope.network;
    if (scope.network.empty() || !query.name.ends_with(ending))
        return std::nullopt;
    Query plain = query;
    plain.name.resize(query.name.size() - ending.size());
    return find_plain(scope, asker, plain, {});
}

/// Of all networks of the asker.
std::optional<Answer> find_known(const Table& table,
                                 const Asking& asking,
                                 const Query& query,
                                 const std::vector<std::string>& search) {
    const Scope& scope = table.at(asking.gateway);
    if (auto answer = find_known(scope, asking.asker, query, search))
        return answer;
    const auto beside = scope.beside.find(asking.asker);
    if (beside == scope.beside.end())
        return std::nullopt;
    for (const auto& other : beside->second)
        if (const auto far = table.find(other.gateway); far != table.end())
            if (auto answer = find_known(far->second, other.asker, query, search))
                return answer;
    return std::nullopt;
}

}  // namespace

Table parse_table(std::string_view text) {
    Table table;
    std::vector<std::vector<std::string>> lines;
    for (const auto& line : split(text, '\n'))
        lines.push_back(words_of(line));
    std::erase_if(lines, [](const auto& words) { return words.size() < 2; });
    for (const auto& words : lines) {
        if (words[0] == "listen")
            add_listen(table, words);
    }
    for (const auto& words : lines) {
        if (words[0] == "name")
            add_known(table, words);
        else if (words[0] == "also")
            add_also(table, words);
        else if (words[0] == "beside")
            add_beside(table, words);
        else if (words[0] == "askers")
            add_askers(table, words);
        else if (words[0] == "called")
            add_called(table, words);
        else if (words[0] == "refer")
            add_referral(table, words);
        else if (words[0] == "upstream")
            add_upstream(table, words);
    }
    return table;
}

const std::vector<IpAddress>& servers_for(const Scope& scope,
                                          const IpAddress& asker,
                                          const HostResolver& host) {
    if (const auto own = scope.upstreams.find(asker);
        own != scope.upstreams.end() && !own->second.empty())
        return own->second;
    return scope.servers.empty() ? host.servers : scope.servers;
}

HostResolver parse_resolv_conf(std::string_view text) {
    constexpr std::size_t most_servers = 3;
    HostResolver resolver;
    for (const auto& line : split(text, '\n')) {
        const auto words = words_of(line);
        if (words.size() < 2)
            continue;
        if (words[0] == "nameserver" && resolver.servers.size() < most_servers) {
            if (const auto address = parse_ip(words[1]))
                resolver.servers.push_back(*address);
        } else if (words[0] == "search" || words[0] == "domain") {  // the last one counts
            resolver.search.clear();
            for (std::size_t i = 1; i < words.size(); ++i)
                resolver.search.push_back(
                    to_lower(words[i].substr(0, words[i].find_last_not_of('.') + 1)));
        }
    }
    std::erase(resolver.search, "");
    return resolver;
}

std::optional<Answer> find_answer(const Table& table,
                                  const Asking& asking,
                                  const Query& query,
                                  const std::vector<std::string>& search) {
    constexpr std::uint16_t class_internet = 1;
    const Scope& scope = table.at(asking.gateway);
    if (scope.askers && !contains(*scope.askers, asking.asker))
        return Answer{.status = Status::refused};
    if (!query.is_standard())
        return Answer{.status = Status::not_implemented};
    if (query.record_class == class_internet)
        if (auto answer = find_known(table, asking, query, search))
            return answer;
    if (scope.referred.count(asking.asker) != 0)
        return Answer{.status = Status::refused};
    if (!scope.forwards)
        return Answer{.status = Status::name_error};
    return std::nullopt;
}

}  // namespace stack::dns
