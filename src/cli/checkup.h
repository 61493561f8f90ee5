#pragma once

// `stack doctor`: what a machine must be for stacks to work on it. Pure: what was read comes in as
// values (cli/machine.h reads it).

#include <stack/model.h>

#include "engine/network/firewall.h"

#include <cstdint>
#include <string>
#include <vector>

namespace stack::cli {

/// A file system.
struct Disk {
    std::string path;  // that it was looked at for
    std::string type;  // ext4, overlay …
    std::uint64_t size = 0;
    std::uint64_t available = 0;  // bytes
    std::uint64_t inodes = 0;     // 0: it has no limit of them
    std::uint64_t free_inodes = 0;
    bool is_read_only = false;
};

struct Machine {
    std::string kernel;          // its release: "6.1.0-13-amd64"
    Strings missing_namespaces;  // of those that a container gets
    bool has_seccomp = true;
    bool has_overlayfs = true;
    std::string cgroups;      // "v2", "v1", "hybrid"
    Strings controllers;      // that can be used
    std::string nft_refusal;  // why nftables cannot be used; "" where they can
    std::vector<network::Obstacle> obstacles;
    std::string unread_rules;        // why the tables of others cannot be read; "" where they can
    bool has_legacy_filter = false;  // iptables from before nftables have a filter table
    bool forwards = true;            // net.ipv4.ip_forward
    bool can_set_forwarding = true;
    Strings port_holders;  // "127.0.0.1:53/udp is in use by dnsmasq (pid 12)"
    Disk disk;             // under --root
    Strings leftovers;     // "link stk0a1b2c3d"
    Strings damaged;       // files of the state that cannot be read
    bool has_rules = true;  // what networks there are has its table in the packet filter
};

struct Finding {
    std::string check;  // "kernel"
    bool good = true;
    std::string text;
    std::string advice;  // what to do; "" where nothing is to be done
};

[[nodiscard]] std::vector<Finding> findings(const Machine& machine);

}  // namespace stack::cli
