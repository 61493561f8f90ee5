#pragma once

// What is there: a snapshot of everything that carries a stack's name, collected without judging.
// Duplicates and leftovers are in it; choosing is the planner's work.

#include <stack/model.h>
#include <stack/shared.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace stack {

using Time = std::chrono::system_clock::time_point;

/// How a container's process ended. `code` follows the shell: 128 + signal where a signal ended it.
struct ExitStatus {
    std::optional<int> code;  // nullopt: nobody saw it end; the status is unknown
    int signal = 0;
    bool oom_killed = false;

    bool operator==(const ExitStatus&) const = default;
};

enum class ContainerState { created, running, paused, exited };
enum class Health { none, starting, healthy, unhealthy };

/// One run of a health check.
struct HealthResult {
    Time start{};
    Time end{};
    int exit_code = 0;   // -1: it took too long
    std::string output;  // the first 4096 bytes

    bool operator==(const HealthResult&) const = default;
};

struct ObservedPort {
    std::string host_ip;
    std::uint16_t published = 0;
    std::uint16_t target = 0;
    Protocol protocol = Protocol::tcp;

    bool operator==(const ObservedPort&) const = default;
};

struct ObservedAddress {
    std::string network;  // the network's real name
    std::string ipv4;
    std::string ipv6;
    bool published = false;  // the container's published ports lead here

    bool operator==(const ObservedAddress&) const = default;
};

struct ObservedContainer {
    std::string id;  // 64 hexadecimal digits
    std::string name;
    std::string project;
    std::string service;
    int number = 0;
    bool oneoff = false;
    bool auto_remove = false;
    std::string config_digest;       // model/digest.h of the service it was made from
    Shared<Service> service_config;  // the service it was made from, for "old -> new" in plans
    std::string anonymous_salt;      // of the names of its anonymous volumes
    std::string image;               // reference it was made from
    std::string image_id;            // digest of that image's configuration then
    StringMap mounted_images;        // reference -> digest likewise, of those that it mounts
    Strings command;                 // what runs: entrypoint and command together
    StringMap labels;
    ContainerState state = ContainerState::created;
    Health health = Health::none;
    int pid = 0;
    ExitStatus exit;
    Time created{};
    Time started{};
    Time finished{};
    int restarts = 0;
    bool restarting = false;       // exited, and its supervisor waits to start it again: noted for
                                   // those who are shown it (cli/local.h)
    bool stopped_by_user = false;  // `stop`, not a crash: its restart policy rests
    std::vector<ObservedPort> ports;
    std::vector<ObservedAddress> addresses;
    Strings lenders;            // of each namespace that it shares with a service, the id of that
                                // one's container; "" where that has ended and left it behind
    std::vector<Mount> mounts;  // resolved: real volume names, anonymous ones included
    Strings replaced_files;     // sources of binds: another file lies there than it has

    bool operator==(const ObservedContainer&) const = default;
};

/// It runs, or is frozen.
[[nodiscard]] inline bool is_up(const ObservedContainer& container) {
    return container.state == ContainerState::running || container.state == ContainerState::paused;
}

struct ObservedNetwork {
    std::string name;
    std::string project;
    std::string key;
    std::string config_digest;
    std::string bridge;
    Strings subnets;
    bool internal = false;

    bool operator==(const ObservedNetwork&) const = default;
};

struct ObservedVolume {
    std::string name;
    std::string project;  // empty: not made by a stack
    std::string key;
    std::string config_digest;
    bool anonymous = false;

    bool operator==(const ObservedVolume&) const = default;
};

struct ObservedImage {
    std::string reference;      // as the stack file has it
    std::string id;             // digest of the image's configuration
    std::string source_digest;  // for built images: what it was built from; empty otherwise
    Time created{};
    Time named{};  // when a pull, build, import or tag gave it this name last; {}: unknown
    std::string platform{};  // os/architecture[/variant]; empty: unknown

    bool operator==(const ObservedImage&) const = default;
};

/// What the build of a service would be made from now, where the caller asked for it.
struct ObservedBuild {
    std::string service;
    std::string source_digest;

    bool operator==(const ObservedBuild&) const = default;
};

struct Observed {
    std::vector<ObservedContainer> containers;
    std::vector<ObservedNetwork> networks;
    std::vector<ObservedVolume> volumes;
    std::vector<ObservedImage> images;  // those that the stack's services name, where present
    std::vector<ObservedBuild> builds;

    bool operator==(const Observed&) const = default;
};

}  // namespace stack
