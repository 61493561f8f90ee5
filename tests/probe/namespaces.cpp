#include "tests/probe/facts.h"

namespace stack::probe {
namespace {

/// Whether all that it is told of its control groups is that they are at the top of what it sees.
std::string control_groups() {
    for (const auto& line : split(read_file("/proc/self/cgroup"), '\n'))
        if (!line.ends_with(":/"))
            return "below the top";
    return "at the top";
}

/// Sockets that no permission of a file guards: whoever is in the network namespace reaches them
/// (CVE-2020-15257).
std::size_t abstract_sockets() {
    std::size_t count = 0;
    for (const auto& line : split(read_file("/proc/net/unix"), '\n'))
        count += line.find(" @") != std::string::npos ? 1U : 0U;
    return count;
}

std::string setting(const std::string& name) {
    std::string value;
    for (const auto& word : split(read_file("/proc/sys/" + name), '\t'))
        value += (value.empty() ? "" : " ") + word.substr(0, word.find('\n'));
    return value;
}

}  // namespace

void tell_namespaces(const Host& host, Facts& facts) {
    for (const std::string name : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
        const auto hosts = host.find(name);
        const bool is_hosts =
            hosts != host.end() && hosts->second == link_target("/proc/self/ns/" + name);
        facts.push_back("namespace " + name + ": " + (is_hosts ? "the host's" : "its own"));
    }
    std::string map;
    for (const auto& word : split(read_file("/proc/self/uid_map"), ' '))
        map += (map.empty() ? "" : " ") + word.substr(0, word.find('\n'));
    facts.push_back("map of users: " + map);
    facts.push_back("control groups: " + control_groups());
    facts.push_back("abstract sockets: " + std::to_string(abstract_sockets()));
    for (const std::string name :
         {"net/ipv4/ip_unprivileged_port_start", "net/ipv4/ping_group_range"})
        facts.push_back("setting " + name + ": " + setting(name));
}

}  // namespace stack::probe
