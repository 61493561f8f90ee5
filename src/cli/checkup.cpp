#include "cli/checkup.h"

#include "base/text.h"
#include "base/units.h"

#include <algorithm>
#include <array>

namespace stack::cli {
namespace {

constexpr int oldest_major = 5;
constexpr int oldest_minor = 14;

Finding good(const char* check, const std::string& text) {
    return {check, true, text, ""};
}

Finding bad(const char* check, const std::string& text, const std::string& advice) {
    return {check, false, text, advice};
}

Finding kernel(const Machine& machine) {
    const auto [major, rest] = split_once(machine.kernel, '.');
    const auto digits = rest.substr(0, rest.find_first_not_of("0123456789"));
    const std::pair release{parse_number<int>(major).value_or(0),
                            parse_number<int>(digits).value_or(0)};
    if (release < std::pair{oldest_major, oldest_minor})
        return bad("kernel",
                   "Linux " + machine.kernel + " lacks what containers need",
                   "boot Linux 5.14 or a later one");
    return good("kernel", "Linux " + machine.kernel);
}

Finding isolation(const Machine& machine) {
    if (!machine.missing_namespaces.empty())
        return bad("isolation",
                   "the kernel has no namespaces for " + join(machine.missing_namespaces, ", "),
                   "boot a kernel with CONFIG_NAMESPACES and all below it");
    if (!machine.has_seccomp)
        return bad("isolation",
                   "the kernel cannot filter system calls",
                   "boot a kernel with CONFIG_SECCOMP_FILTER");
    return good("isolation", "namespaces and seccomp");
}

Finding overlayfs(const Machine& machine) {
    if (!machine.has_overlayfs)
        return bad("overlayfs",
                   "the kernel has no overlay file system, which roots of containers are made of",
                   "modprobe overlay, or boot a kernel with CONFIG_OVERLAY_FS");
    return good("overlayfs", "there");
}

Finding cgroups(const Machine& machine) {
    constexpr std::array wanted{"cpu", "io", "memory", "pids"};
    Strings missing;
    for (const std::string name : wanted) {
        const bool is_there = std::any_of(
            machine.controllers.begin(), machine.controllers.end(), [&](const auto& one) {
                return one == name || (name == "io" && one == "blkio");
            });
        if (!is_there)
            missing.push_back(name);
    }
    const std::string text = machine.cgroups + ", controllers " + join(machine.controllers, " ");
    if (!missing.empty())
        return bad("cgroups",
                   text + "; without " + join(missing, ", ") + ", whose limits are not enforced",
                   "mount cgroup2 with them: boot with systemd.unified_cgroup_hierarchy=1 and "
                   "without cgroup_disable=");
    return good("cgroups", text);
}

Finding nftables(const Machine& machine) {
    if (!machine.nft_refusal.empty())
        return bad("nftables", machine.nft_refusal, "run as root, and modprobe nf_tables");
    return good("nftables", "there");
}

Finding forwarding(const Machine& machine) {
    if (machine.forwards)
        return good("forwarding", "net.ipv4.ip_forward is 1");
    if (!machine.can_set_forwarding)
        return bad("forwarding",
                   "net.ipv4.ip_forward is 0 and cannot be written here",
                   "sysctl -w net.ipv4.ip_forward=1 on the host");
    return good("forwarding", "net.ipv4.ip_forward is 0; the first network sets it to 1");
}

std::string described(network::Flow flow) {
    switch (flow) {
        case network::Flow::outward:
            return "what containers send to the world";
        case network::Flow::inward:
            return "what is sent to published ports of containers";
        case network::Flow::question:
            break;
    }
    return "what containers ask for names";
}

std::vector<Finding> firewalls(const Machine& machine) {
    std::vector<Finding> list;
    for (const auto& obstacle : machine.obstacles)
        list.push_back(bad("firewall",
                           "table " + obstacle.table + ", chain " + obstacle.chain + ", drops " +
                               described(obstacle.flow),
                           obstacle.advice));
    if (!machine.unread_rules.empty())
        list.push_back(good("firewall",
                            "whether tables of others drop what containers send is not known: " +
                                machine.unread_rules));
    if (list.empty())
        list.push_back(good("firewall", "no nftables but ours drop what containers send"));
    if (machine.has_legacy_filter)
        list.push_back(good("firewall",
                            "there are rules of iptables-legacy, which nftables do not show: "
                            "`iptables-legacy -S FORWARD` and `-S INPUT` must not drop"));
    return list;
}

std::vector<Finding> name_ports(const Machine& machine) {
    std::vector<Finding> list;
    for (const auto& holder : machine.port_holders)
        list.push_back(bad("names",
                           holder + ", where containers ask for names",
                           "have it listen on 127.0.0.1 or on the addresses that it serves only"));
    if (list.empty())
        list.push_back(good("names", "port 53 of gateways is free"));
    return list;
}

/// What an overlay's upper directory cannot be on (kernel: filesystems/overlayfs.rst).
bool carries_no_upper(const std::string& type) {
    constexpr std::array kinds{"overlay", "nfs", "cifs", "fuse", "vfat"};
    return std::find(kinds.begin(), kinds.end(), type) != kinds.end();
}

Finding disk(const Machine& machine) {
    constexpr std::uint64_t least = 1ULL << 30U;
    constexpr std::uint64_t few = 20;  // a twentieth of the inodes
    const Disk& disk = machine.disk;
    const std::string text = disk.path + " is on " + disk.type + " with " +
                             format_bytes(static_cast<Bytes>(disk.available)) + " free";
    if (carries_no_upper(disk.type))
        return bad("disk",
                   text + ": containers cannot have their files on " + disk.type,
                   "put --root on ext4, xfs or btrfs");
    if (disk.is_read_only)
        return bad("disk",
                   text + ", but it is read-only",
                   "`mount -o remount,rw` it (the kernel makes a disk read-only that fails: see "
                   "`dmesg`), or put --root elsewhere");
    if (disk.available < least)
        return bad("disk", text, "`stack system prune`, or put --root on a larger disk");
    if (disk.inodes != 0 && disk.free_inodes < disk.inodes / few)
        return bad("disk",
                   text + ", but only " + std::to_string(disk.free_inodes) + " inodes",
                   "`stack system prune`, or put --root on a file system with more inodes");
    return good("disk", text);
}

Finding leftovers(const Machine& machine) {
    if (!machine.leftovers.empty())
        return bad("leftovers",
                   join(machine.leftovers, ", ") +
                       (machine.leftovers.size() == 1 ? " belongs" : " belong") +
                       " to no network any more",
                   "`stack up` of any stack takes that away");
    return good("leftovers", "none");
}

Finding records(const Machine& machine) {
    if (machine.damaged.empty())
        return good("records", "all can be read");
    return bad("records",
               join(machine.damaged, ", ") +
                   (machine.damaged.size() == 1 ? " is damaged" : " are damaged"),
               "put back a copy, or remove it and bring its stack up again");
}

Finding rules(const Machine& machine) {
    if (machine.has_rules)
        return good("rules", "are in force where there are networks");
    return bad("rules",
               "somebody has taken away what leads to published ports",
               "`stack up` of any stack puts it back");
}

}  // namespace

std::vector<Finding> findings(const Machine& machine) {
    std::vector<Finding> list;
    for (const auto check : {kernel, isolation, overlayfs, cgroups, nftables, forwarding})
        list.push_back(check(machine));
    for (const auto check : {firewalls, name_ports})
        for (auto& finding : check(machine))
            list.push_back(std::move(finding));
    for (const auto check : {rules, disk, records, leftovers})
        list.push_back(check(machine));
    return list;
}

}  // namespace stack::cli
