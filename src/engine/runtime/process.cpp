#include "engine/runtime/process.h"

#include <stack/error.h>

#include "base/signals.h"
#include "base/text.h"
#include "engine/runtime/capabilities.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <csignal>
#include <map>
#include <unordered_map>
#include <utility>

#include <sys/resource.h>

namespace stack::runtime {
namespace {

constexpr std::size_t short_id = 12;

struct LimitName {
    const char* name;
    std::uint32_t number;
};

constexpr std::array<LimitName, 16> limit_names{{{"cpu", RLIMIT_CPU},
                                                 {"fsize", RLIMIT_FSIZE},
                                                 {"data", RLIMIT_DATA},
                                                 {"stack", RLIMIT_STACK},
                                                 {"core", RLIMIT_CORE},
                                                 {"rss", RLIMIT_RSS},
                                                 {"nproc", RLIMIT_NPROC},
                                                 {"nofile", RLIMIT_NOFILE},
                                                 {"memlock", RLIMIT_MEMLOCK},
                                                 {"as", RLIMIT_AS},
                                                 {"locks", RLIMIT_LOCKS},
                                                 {"sigpending", RLIMIT_SIGPENDING},
                                                 {"msgqueue", RLIMIT_MSGQUEUE},
                                                 {"nice", RLIMIT_NICE},
                                                 {"rtprio", RLIMIT_RTPRIO},
                                                 {"rttime", RLIMIT_RTTIME}}};

std::uint64_t limit_value(std::int64_t value) {
    return value < 0 ? RLIM_INFINITY : static_cast<std::uint64_t>(value);
}

/// NAME=value of each variable, in the order in which they were set last. An image may have any
/// number of them.
class Variables {
  public:
    void set(const std::string& name, const std::string& value) {
        unset(name);
        places_[name] = entries_.size();
        entries_.push_back(name + "=" + value);
    }

    void unset(const std::string& name) {
        if (const auto found = places_.find(name); found != places_.end()) {
            entries_[found->second].clear();
            places_.erase(found);
        }
    }

    [[nodiscard]] Strings take() && {
        std::erase(entries_, "");
        return std::move(entries_);
    }

  private:
    Strings entries_;  // "": one that was taken away
    std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

bool has_security_option(const Service& service, std::string_view name, std::string_view value) {
    std::string_view last;
    for (const std::string_view option : service.security_opt) {
        const auto separator = option.find_first_of("=:");
        if (option.substr(0, separator) == name)
            last = separator == std::string_view::npos ? "true" : option.substr(separator + 1);
    }
    return last == value;
}

Strings command_for(const Service& service, const ImageConfig& image) {
    Strings words = service.entrypoint ? *service.entrypoint : image.entrypoint;
    // An entrypoint of the service's own makes the image's command mean nothing.
    const Strings rest = service.command      ? *service.command
                         : service.entrypoint ? Strings{}
                                              : image.command;
    words.insert(words.end(), rest.begin(), rest.end());
    return words;
}

Strings environment_for(const Service& service,
                        const ImageConfig& image,
                        const std::string& hostname) {
    Variables variables;
    variables.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    variables.set("HOSTNAME", hostname);
    if (service.tty)
        variables.set("TERM", "xterm");
    for (const auto& entry : image.environment) {
        const auto [name, value] = split_once(entry, '=');
        variables.set(name, value);
    }
    for (const auto& [name, value] : service.environment) {
        if (value)
            variables.set(name, *value);
        else
            variables.unset(name);
    }
    return std::move(variables).take();
}

std::string hostname_for(const Service& service, const std::string& id) {
    return service.hostname.empty() ? id.substr(0, short_id) : service.hostname;
}

int stop_signal_for(const Service& service, const ImageConfig& image) {
    for (const auto& name : {service.stop_signal, image.stop_signal})
        if (!name.empty())
            return parse_signal(name).value_or(SIGTERM);
    return SIGTERM;
}

std::optional<Healthcheck> healthcheck_for(const Service& service, const ImageConfig& image) {
    Healthcheck check = service.healthcheck.value_or(Healthcheck{});
    if (check.disabled || (!check.test.empty() && check.test.front() == "NONE"))
        return std::nullopt;
    if (image.healthcheck) {
        const auto inherit = [](auto& mine, const auto& theirs) {
            if (!mine)
                mine = theirs;
        };
        if (check.test.empty())
            check.test = image.healthcheck->test;
        inherit(check.interval, image.healthcheck->interval);
        inherit(check.timeout, image.healthcheck->timeout);
        inherit(check.start_period, image.healthcheck->start_period);
        inherit(check.start_interval, image.healthcheck->start_interval);
        inherit(check.retries, image.healthcheck->retries);
    }
    if (check.test.empty() || check.test.front() == "NONE")
        return std::nullopt;
    return check;
}

std::vector<Port> exposed_ports(const Service& service, const ImageConfig& image) {
    std::vector<Port> ports;
    std::map<Protocol, std::bitset<(1U << 16U)>> known;  // an image may say one a million times
    const auto add = [&](const std::string& word) {
        const auto [numbers, protocol] = split_once(word, '/');
        const auto [first, last] = split_once(numbers, '-');
        const int begin = parse_number<std::uint16_t>(first).value_or(0);
        const int end = parse_number<std::uint16_t>(last).value_or(begin);
        Port port;
        port.protocol = protocol == "udp"    ? Protocol::udp
                        : protocol == "sctp" ? Protocol::sctp
                                             : Protocol::tcp;
        auto& of_protocol = known[port.protocol];
        for (int number = begin; number != 0 && number <= end; ++number) {
            port.target = static_cast<std::uint16_t>(number);
            if (!of_protocol.test(port.target))
                ports.push_back(port);
            of_protocol.set(port.target);
        }
    };
    std::for_each(service.expose.begin(), service.expose.end(), add);
    std::for_each(image.exposed_ports.begin(), image.exposed_ports.end(), add);
    return ports;
}

Resources resources_for(const Service& service) {
    constexpr std::int64_t default_pids = 4096;  // a fork bomb ends in its container
    Resources resources = service.resources;
    if (!resources.pids)
        resources.pids = default_pids;
    return resources;
}

std::uint32_t limit_number(const std::string& name) {
    for (const auto& known : limit_names)
        if (name == known.name)
            return known.number;
    throw Error("there is no resource limit " + name);
}

std::vector<shim::LimitSpec> limits_for(const std::map<std::string, Ulimit>& ulimits) {
    constexpr Ulimit default_files{1024, 524288};
    // No core files unasked; who asks for them (ulimit -c) has them, as under Docker.
    std::map<std::string, Ulimit> all{{"core", {0, -1}}, {"nofile", default_files}};
    for (const auto& [name, limit] : ulimits)
        all[name] = limit;
    std::vector<shim::LimitSpec> limits;
    for (const auto& [name, limit] : all)
        limits.push_back({limit_number(name), limit_value(limit.soft), limit_value(limit.hard)});
    return limits;
}

shim::ProcessSpec process_for(const ContainerRecord& record) {
    const Service& service = record.spec.service;
    const ImageConfig& image = record.image.config;
    shim::ProcessSpec process;
    process.arguments = record.command;
    process.environment = environment_for(service, image, hostname_for(service, record.id));
    process.user = service.user.empty() ? image.user : service.user;
    process.groups = service.group_add;
    process.working_dir = !service.working_dir.empty() ? service.working_dir : image.working_dir;
    process.capabilities = capabilities_for(service.cap_add, service.cap_drop, service.privileged);
    process.no_new_privileges = has_security_option(service, "no-new-privileges", "true") ? 1 : 0;
    process.limits = limits_for(service.ulimits);
    process.terminal = service.tty ? 1 : 0;
    process.oom_score_adj = service.oom_score_adj.value_or(0);
    process.has_oom_score = 1;
    return process;
}

}  // namespace stack::runtime
