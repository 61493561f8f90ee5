#include "engine/runtime/devices.h"

#include <stack/error.h>

#include "engine/cgroup/devices.h"
#include "model/cdi.h"
#include "sys/file.h"

#include <utility>

namespace stack::runtime {
namespace {

void list_all(const std::string& directory, std::vector<shim::DeviceSpec>& devices) {
    for (const auto& name : sys::list_directory(directory)) {
        const std::string path = directory + "/" + name;
        if (path == "/dev/console")
            continue;  // a container's own terminal takes that place
        if (sys::is_device(path))
            devices.push_back({path, path});
        else if (sys::is_directory(path) && name != "pts" && name != "shm" && name != "mqueue" &&
                 name != "fd" && name != "hugepages")
            list_all(path, devices);
    }
}

/// At the same places below its target. Links are not followed.
void add_below(const Device& top, std::vector<Device>& devices) {
    constexpr std::size_t most_directories = 10'000;
    std::size_t seen = 0;
    const std::size_t before = devices.size();
    std::vector<std::string> open{""};
    while (!open.empty()) {
        const std::string place = std::move(open.back());
        open.pop_back();
        if (++seen > most_directories)
            throw Error("the directory " + top.source + " of `devices` has more than " +
                        std::to_string(most_directories) +
                        " directories below it: name the devices themselves");
        for (const auto& name : sys::list_directory(top.source + place))
            if (const std::string below = place + "/" + name; sys::is_device(top.source + below))
                devices.push_back({top.source + below, top.target + below, top.permissions});
        for (const auto& name : sys::list_subdirectories(top.source + place))
            open.push_back(place + "/" + name);
    }
    if (devices.size() == before)
        throw Error("the directory " + top.source + " of `devices` has no device below it");
}

}  // namespace

std::vector<Device> devices_for(const Service& service) {
    std::vector<Device> devices;
    for (Device device : service.devices) {
        if (is_cdi_name(device.source))
            continue;
        if (device.target.empty())
            device.target = device.source;
        if (sys::find_device(device.source))
            devices.push_back(std::move(device));
        else if (sys::is_directory(device.source))
            add_below(device, devices);
        else
            throw Error(std::make_error_code(std::errc::no_such_device),
                        "this machine has no device " + device.source);
    }
    return devices;
}

std::vector<shim::DeviceSpec> device_specs(const std::vector<Device>& devices, bool privileged) {
    std::vector<shim::DeviceSpec> specs;
    if (privileged)
        list_all("/dev", specs);
    for (const auto& device : devices)
        specs.push_back({device.source, device.target});
    return specs;
}

std::vector<DeviceRule> device_rules(const std::vector<Device>& devices, const Strings& rules) {
    std::vector<DeviceRule> all = cgroup::default_devices();
    const auto add = [&](const std::string& text) {
        const auto rule = parse_device_rule(text);
        if (!rule)
            throw Error("\"" + text + "\" is not a device rule: " + rule.error().message);
        all.push_back(*rule);
    };
    for (const auto& device : devices)
        if (const auto found = sys::find_device(device.source))
            add(*found + " " + device.permissions + "m");
    for (const auto& text : rules)
        add(text);
    return all;
}

}  // namespace stack::runtime
