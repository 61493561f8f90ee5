#include "engine/network/names.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/ip.h"
#include "base/name_service.h"
#include "base/text.h"
#include "engine/network/record.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/tree.h"

#include <algorithm>
#include <csignal>
#include <set>

#include <fcntl.h>
#include <poll.h>

namespace stack::network {
namespace {

std::string names_directory(const Paths& paths, const std::string& project) {
    if (project.empty())
        return paths.run + "/networks/dns";
    return paths.run + "/projects/" + project + "/dns";
}

/// The gateways of internal networks: what is not known there must not be asked outside, because
/// questions carry data (CVE-2024-29018).
std::set<std::string> internal_gateways(const Paths& paths) {
    std::set<std::string> gateways;
    for (const auto& network : load_stored(paths)) {
        if (network.record.internal)
            gateways.insert({network.record.gateway4, network.record.gateway6});
    }
    return gateways;
}

struct Server {
    sys::Fd process;
    std::string port;  // where the rules may lead questions to; "" of an older version's
};

/// The service of the directory, while it lives.
Server find_service(const std::string& directory) {
    const auto text = sys::read_file(directory + "/pid");
    const auto [pid, rest] = split_once(trim(text.value_or("")), ' ');
    const auto [started, port] = split_once(rest, ' ');
    return {sys::open_process(parse_number<int>(pid).value_or(0),
                              parse_number<std::uint64_t>(started).value_or(0)),
            std::string(port)};
}

bool is_alive(const sys::Fd& process) {
    return process && !sys::has_ended(process);
}

/// Returns when the service listens: it goes into the background then.
void start_service(const std::string& directory, const std::string& project) {
    constexpr std::uint32_t mode = 0600;
    const sys::Fd nothing = sys::open_file("/dev/null", O_RDWR);
    const sys::Fd log = sys::open_file(directory + "/log", O_WRONLY | O_CREAT | O_APPEND, mode);
    const std::string program = sys::helper_program("stack-dns");
    sys::SpawnOptions options;
    options.arguments = {program, directory};
    options.descriptors = {{nothing.get(), 0}, {log.get(), 1}, {log.get(), 2}};
    options.new_session = true;
    if (sys::wait(sys::spawn(program, options)) != 0)
        throw Error("the name service of " + (project.empty() ? "networks" : project) +
                    " did not start: " +
                    std::string(trim(sys::read_file(directory + "/log").value_or(""))));
}

void await_end(const sys::Fd& process) {
    constexpr int patience = 5000;  // milliseconds; it has nothing to finish
    pollfd entry{process.get(), POLLIN, 0};
    sys::send_signal(process, SIGTERM);
    if (::poll(&entry, 1, patience) == 0)
        sys::send_signal(process, SIGKILL);
}

/// Container ids, which are names as well, tell a person less than the others do.
bool is_short_id(const std::string& name) {
    constexpr std::size_t digits = 12;
    return name.size() == digits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

ResolverRank resolver_rank(bool internal, const std::string& network) {
    return {!internal, network};
}

std::set<ResolverRank> asked_resolvers(std::set<ResolverRank> all) {
    constexpr std::size_t most = 3;
    while (all.size() > most)
        all.erase(std::prev(all.end(), 2));
    return all;
}

bool asks_itself(const Strings& servers) {
    static const IpPrefix loopback4 = *parse_prefix("127.0.0.0/8");
    static const IpAddress loopback6 = *parse_ip("::1");
    return std::any_of(servers.begin(), servers.end(), [](const std::string& server) {
        const auto address = parse_ip(server);
        return address && (contains(loopback4, *address) || *address == loopback6);
    });
}

std::string names_text(const NameTable& table, const std::set<std::string>& internal) {
    std::string text;
    for (const auto& [gateway, askers] : table.gateways) {
        text += "listen " + gateway + (internal.count(gateway) != 0 ? " none\n" : "\n");
        text += "askers " + gateway + " " + askers + "\n";
    }
    for (const auto& [gateway, name] : table.called)
        text += "called " + gateway + " " + name + "\n";
    // An address leads back to the first of its names.
    auto ordered = table.entries;
    std::stable_partition(ordered.begin(), ordered.end(), [](const NameEntry& entry) {
        return !is_short_id(entry.name);
    });
    for (const auto& entry : ordered) {
        for (const auto& gateway : {entry.gateway4, entry.gateway6}) {
            if (!gateway.empty())
                text +=
                    "name " + gateway + " " + entry.name + " " + join(entry.addresses, " ") + "\n";
        }
    }
    for (const auto& one : table.own)
        text += "also " + one.gateway + " " + one.asker + " " + one.name + " " +
                join(one.addresses, " ") + "\n";
    for (const auto& one : table.beside)
        text += "beside " + one.gateway + " " + one.asker + " " + one.other_gateway + " " +
                one.other_asker + "\n";
    for (const auto& referral : table.referrals)
        text += "refer " + referral.gateway + " " + referral.asker + "\n";
    for (const auto& upstream : table.upstreams)
        text += "upstream " + upstream.gateway + " " + upstream.asker + " " +
                join(upstream.servers, " ") + "\n";
    return text;
}

void publish_names(const Paths& paths, const std::string& project, const NameTable& table) {
    const std::string directory = names_directory(paths, project);
    const std::string text = names_text(table, internal_gateways(paths));
    sys::ensure_directory(directory, 0700);
    if (sys::read_file(directory + "/names") != text) {
        STACK_FAILPOINT("names.publish");
        sys::replace_volatile_file(directory + "/names", text);
    }
    const Server server = find_service(directory);
    const bool lives = is_alive(server.process);
    const bool is_outdated = lives && server.port != std::to_string(name_service_port);
    if (is_outdated)
        await_end(server.process);
    if (is_outdated || !lives)
        start_service(directory, project);
}

sys::Fd find_name_service(const Paths& paths, const std::string& project) {
    Server server = find_service(names_directory(paths, project));
    return is_alive(server.process) ? std::move(server.process) : sys::Fd();
}

void stop_names(const Paths& paths, const std::string& project) {
    const std::string directory = names_directory(paths, project);
    if (const Server server = find_service(directory); is_alive(server.process))
        await_end(server.process);
    STACK_FAILPOINT("names.stop");
    // A service that had not yet written its pid notices that its directory is gone.
    sys::remove_tree(directory);
}

}  // namespace stack::network
