#include "cli/system_info.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/target.h"
#include "engine/build/stages.h"
#include "engine/cgroup/cgroup.h"
#include "engine/image/store.h"
#include "sys/file.h"

#include <algorithm>
#include <thread>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

std::string read_trimmed(const std::string& path) {
    return std::string(trim(sys::read_file(path).value_or("")));
}

/// PRETTY_NAME of os-release(5).
std::string system_name() {
    for (const auto& line : split(sys::read_file("/etc/os-release").value_or(""), '\n')) {
        const auto [key, value] = split_once(line, '=');
        const auto words = split_words(value);
        if (key == "PRETTY_NAME" && !words.empty())
            return words.front();
    }
    return "Linux";
}

/// `MemTotal:  8000000 kB`.
std::int64_t memory_bytes() {
    for (const auto& line : split(sys::read_file("/proc/meminfo").value_or(""), '\n')) {
        const auto [key, value] = split_once(line, ':');
        if (key == "MemTotal")
            return parse_number<std::int64_t>(split_once(trim(value), ' ').first).value_or(0) *
                   1024;
    }
    return 0;
}

/// As uname(1) has it.
std::string architecture() {
    const std::string platform = split_once(build::machine_platform(), '/').second;
    return platform == "amd64" ? "x86_64" : platform == "arm64" ? "aarch64" : platform;
}

}  // namespace

Json system_info(const Context& context) {
    const auto containers = all_containers(context);
    const auto count = [&](ContainerState state) {
        return std::count_if(containers.begin(), containers.end(), [&](const auto& container) {
            return container.state == state;
        });
    };
    const auto running = count(ContainerState::running);
    const auto paused = count(ContainerState::paused);
    const auto mode = cgroup::Cgroups().mode();
    return {{"Containers", containers.size()},
            {"ContainersRunning", running},
            {"ContainersPaused", paused},
            {"ContainersStopped", static_cast<std::int64_t>(containers.size()) - running - paused},
            {"Images", image::Store(context.paths).list().size()},
            {"ServerVersion", STACK_VERSION},
            {"Driver", "overlay2"},
            {"LoggingDriver", "json-file"},
            {"CgroupDriver", mode == cgroup::Mode::none ? "none" : "cgroupfs"},
            {"CgroupVersion", mode == cgroup::Mode::v2 ? "2" : "1"},
            {"KernelVersion", read_trimmed("/proc/sys/kernel/osrelease")},
            {"OperatingSystem", system_name()},
            {"OSType", "linux"},
            {"Architecture", architecture()},
            {"NCPU", std::thread::hardware_concurrency()},
            {"MemTotal", memory_bytes()},
            {"Name", read_trimmed("/proc/sys/kernel/hostname")},
            {"DockerRootDir", context.paths.state}};
}

std::string info_text(const Json& info) {
    const auto line = [&](const char* title, const char* key) {
        const Json& value = info.at(key);
        return std::string(title) + ": " +
               (value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
    };
    return line("Containers", "Containers") + line(" Running", "ContainersRunning") +
           line(" Paused", "ContainersPaused") + line(" Stopped", "ContainersStopped") +
           line("Images", "Images") + line("Server Version", "ServerVersion") +
           line("Storage Driver", "Driver") + line("Logging Driver", "LoggingDriver") +
           line("Cgroup Driver", "CgroupDriver") + line("Cgroup Version", "CgroupVersion") +
           line("Kernel Version", "KernelVersion") + line("Operating System", "OperatingSystem") +
           line("OSType", "OSType") + line("Architecture", "Architecture") + line("CPUs", "NCPU") +
           "Total Memory: " + format_bytes(info.at("MemTotal").get<std::int64_t>()) + "\n" +
           line("Name", "Name") + line("Root Dir", "DockerRootDir");
}

}  // namespace stack::cli
