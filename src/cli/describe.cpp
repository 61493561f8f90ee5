#include "cli/describe.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/port_list.h"
#include "cli/style.h"

#include <array>
#include <ctime>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

std::string age(Time from, Time to) {
    return format_age(std::chrono::duration_cast<std::chrono::seconds>(to - from));
}

std::string health_text(Health health) {
    constexpr std::array<const char*, 4> words{"", "starting", "healthy", "unhealthy"};
    return words[static_cast<std::size_t>(health)];
}

std::time_t whole_seconds(Time time) {
    return std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
}

/// `.25`, or nothing where there is none.
std::string fraction_text(Time time) {
    const auto rest = time - std::chrono::floor<std::chrono::seconds>(time);
    constexpr std::size_t places = 9;
    std::string digits =
        std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(rest).count());
    digits.insert(0, places - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    return digits.empty() ? "" : "." + digits;
}

std::string formatted_time(const std::tm& parts, const char* format) {
    std::array<char, 64> buffer{};
    std::strftime(buffer.data(), buffer.size(), format, &parts);
    return buffer.data();
}

std::string exit_code_text(const ExitStatus& exit) {
    return exit.code ? std::to_string(*exit.code) : "unknown";
}

}  // namespace

std::string name_in_stack(const ObservedContainer& container) {
    const std::string own = container.service + "-" + std::to_string(container.number);
    return container.name == container.project + "-" + own ? own : container.name;
}

std::string state_text(const ObservedContainer& container) {
    if (container.restarting)
        return "restarting";
    constexpr std::array<const char*, 4> words{"created", "running", "paused", "exited"};
    return words[static_cast<std::size_t>(container.state)];
}

std::string status_text(const ObservedContainer& container, Time now) {
    switch (container.state) {
        case ContainerState::created:
            return "Created";
        case ContainerState::exited:
            return std::string(container.restarting ? "Restarting" : "Exited") + " (" +
                   exit_code_text(container.exit) + ")" +
                   (container.finished == Time{} ? ""
                                                 : " " + age(container.finished, now) + " ago") +
                   (container.exit.oom_killed ? " (out of memory)" : "");
        case ContainerState::paused:
            return "Up " + age(container.started, now) + " (Paused)";
        case ContainerState::running:
            break;
    }
    const std::string health = health_text(container.health);
    return "Up " + age(container.started, now) + (health.empty() ? "" : " (" + health + ")");
}

bool is_listed(const ObservedContainer& container) {
    return is_up(container) || container.restarting;
}

bool comes_back(const ObservedContainer& container) {
    if (container.state == ContainerState::created && container.started != Time{})
        return true;  // it is on its way
    if (container.stopped_by_user || container.state != ContainerState::exited)
        return false;
    const RestartPolicy& policy = container.service_config->restart;
    const int most = policy.max_attempts.value_or(0);  // 0: any number
    const bool failed = container.exit.code.value_or(1) != 0;
    return policy.condition == RestartCondition::always ||
           policy.condition == RestartCondition::unless_stopped ||
           (policy.condition == RestartCondition::on_failure && failed &&
            (most == 0 || container.restarts < most));
}

std::string command_text(const ObservedContainer& container, bool whole) {
    constexpr std::size_t longest = 20;
    std::string text = printable(join(container.command, " "));
    if (!whole && text.size() > longest)
        text = text.substr(0, longest - 1) + "…";
    return "\"" + text + "\"";
}

std::string time_text(Time time) {
    const std::time_t seconds = whole_seconds(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return formatted_time(parts, "%Y-%m-%dT%H:%M:%S") + fraction_text(time) + "Z";
}

std::string date_text(Time time) {
    const std::time_t seconds = whole_seconds(time);
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return formatted_time(parts, "%Y-%m-%d %H:%M:%S %z %Z");
}

nlohmann::json ps_json(const ObservedContainer& container, Time now) {
    constexpr int unknown_code = 255;  // it ended, and nobody saw how
    nlohmann::json publishers = nlohmann::json::array();
    for (const auto& port : ports_in_force(container))
        publishers.push_back({{"URL", port.host_ip},
                              {"TargetPort", port.target},
                              {"PublishedPort", port.published},
                              {"Protocol", protocol_text(port.protocol)}});
    const auto volumes =
        std::count_if(container.mounts.begin(), container.mounts.end(), [](const Mount& mount) {
            return mount.type == MountType::volume;
        });
    Strings mounts;
    for (const auto& mount : container.mounts)
        mounts.push_back(mount.source.empty() ? mount.target : mount.source);
    Strings networks;
    for (const auto& address : container.addresses)
        networks.push_back(address.network);
    Strings labels;
    for (const auto& [key, value] : container.labels)
        labels.push_back(key + "=" + value);
    return {{"ID", container.id},
            {"Name", container.name},
            {"Names", container.name},
            {"Image", container.image},
            {"Command", command_text(container, true)},
            {"Project", container.project},
            {"Service", container.service},
            {"Created", std::chrono::system_clock::to_time_t(container.created)},
            {"CreatedAt", date_text(container.created)},
            {"RunningFor", age(container.created, now) + " ago"},
            {"State", state_text(container)},
            {"Status", status_text(container, now)},
            {"Health", health_text(container.health)},
            {"ExitCode",
             container.exit.code.value_or(container.state == ContainerState::exited ? unknown_code
                                                                                    : 0)},
            {"Publishers", publishers},
            {"Ports", ports_text(container)},
            {"Labels", join(labels, ",")},
            {"LocalVolumes", std::to_string(volumes)},
            {"Mounts", join(mounts, ",")},
            {"Networks", join(networks, ",")},
            {"Size", "0B"}};  // docker's word for not asked for
}

}  // namespace stack::cli
