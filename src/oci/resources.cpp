#include "oci/resources.h"

#include "base/device_rule.h"
#include "base/text.h"
#include "engine/cgroup/devices.h"

#include <algorithm>
#include <map>
#include <utility>

namespace stack::oci {
namespace {

using cgroup::FileWrite;
using cgroup::is_everything;
using cgroup::Mode;

class Reader {
  public:
    Reader(const Json& resources, Mode mode, Strings& warnings)
        : resources_(resources), is_v2_(mode == Mode::v2), warnings_(warnings) {}

    [[nodiscard]] Limits read() {
        read_memory(field(resources_, "memory"));
        read_cpu(field(resources_, "cpu"));
        limits_.resources.pids = number_of<std::int64_t>(field(resources_, "pids"), "limit");
        read_blkio(field(resources_, "blockIO"));
        read_pages();
        read_network(field(resources_, "network"));
        read_unified();
        if (!field(resources_, "rdma").is_null())
            warnings_.push_back("linux.resources.rdma has no effect");
        return std::move(limits_);
    }

  private:
    void write(const char* controller, std::string file, std::string value) {
        limits_.more.push_back({controller, std::move(file), std::move(value), true, ""});
    }

    void write_number(const Json& object,
                      const char* key,
                      const char* controller,
                      const char* file) {
        if (const auto value = number_of<std::int64_t>(object, key))
            write(controller, file, std::to_string(*value));
    }

    /// Memory and swap together, unless they are said, are without limit.
    void read_memory(const Json& memory) {
        Resources& to = limits_.resources;
        to.memory = number_of<std::int64_t>(memory, "limit");
        to.memory_reservation = number_of<std::int64_t>(memory, "reservation");
        to.memory_swap = number_of<std::int64_t>(memory, "swap");
        if (to.memory && !to.memory_swap)
            to.memory_swap = -1;
        if (!to.memory && to.memory_swap)
            throw Error("linux.resources.memory: swap is memory and swap together: it needs limit");
        to.memory_swappiness = number_of<int>(memory, "swappiness");
        to.oom_kill_disable = flag_of(memory, "disableOOMKiller");
        for (const auto* key : {"kernel", "kernelTCP"})
            if (!field(memory, key).is_null())
                warnings_.push_back("linux.resources.memory." + std::string(key) +
                                    " has no effect: the kernel has given it up");
    }

    void read_cpu(const Json& cpu) {
        Resources& to = limits_.resources;
        to.cpu_shares = number_of<std::int64_t>(cpu, "shares");
        to.cpu_quota = number_of<std::int64_t>(cpu, "quota");
        to.cpu_period = number_of<std::int64_t>(cpu, "period");
        to.cpu_rt_runtime = number_of<std::int64_t>(cpu, "realtimeRuntime");
        to.cpu_rt_period = number_of<std::int64_t>(cpu, "realtimePeriod");
        to.cpuset = text_of(cpu, "cpus");
        if (const auto nodes = text_of(cpu, "mems"); !nodes.empty())
            write("cpuset", "cpuset.mems", nodes);
        if (to.cpu_period && !to.cpu_quota)
            write("cpu",
                  is_v2_ ? "cpu.max" : "cpu.cfs_period_us",
                  (is_v2_ ? "max " : "") + std::to_string(*to.cpu_period));
        write_number(cpu, "burst", "cpu", is_v2_ ? "cpu.max.burst" : "cpu.cfs_burst_us");
        write_number(cpu, "idle", "cpu", "cpu.idle");
    }

    static std::string number_of_device(const Json& device) {
        return std::to_string(number_of<std::int64_t>(device, "major").value_or(0)) + ":" +
               std::to_string(number_of<std::int64_t>(device, "minor").value_or(0));
    }

    void read_rates(const Json& blkio, const char* key, const char* v1_file, const char* v2_key) {
        for (const auto& device : field(blkio, key)) {
            const auto rate = number_of<std::uint64_t>(device, "rate").value_or(0);
            if (is_v2_)
                write("io",
                      "io.max",
                      number_of_device(device) + " " + v2_key + "=" +
                          (rate == 0 ? "max" : std::to_string(rate)));
            else
                write("blkio", v1_file, number_of_device(device) + " " + std::to_string(rate));
        }
    }

    void read_blkio(const Json& blkio) {
        limits_.resources.blkio.weight = number_of<std::uint16_t>(blkio, "weight").value_or(0);
        if (!is_v2_)
            write_number(blkio, "leafWeight", "blkio", "blkio.leaf_weight");
        for (const auto& device : field(blkio, "weightDevice"))
            if (const auto weight = number_of<std::uint16_t>(device, "weight"))
                write(is_v2_ ? "io" : "blkio",
                      is_v2_ ? "io.weight" : "blkio.bfq.weight_device",
                      number_of_device(device) + " " + std::to_string(*weight));
        read_rates(blkio, "throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps");
        read_rates(blkio, "throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps");
        read_rates(blkio, "throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops");
        read_rates(blkio, "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops");
    }

    void read_pages() {
        for (const auto& pages : field(resources_, "hugepageLimits"))
            write("hugetlb",
                  "hugetlb." + text_of(pages, "pageSize") + (is_v2_ ? ".max" : ".limit_in_bytes"),
                  std::to_string(number_of<std::uint64_t>(pages, "limit").value_or(0)));
    }

    void read_network(const Json& network) {
        write_number(network, "classID", "net_cls", "net_cls.classid");
        for (const auto& priority : field(network, "priorities"))
            write("net_prio",
                  "net_prio.ifpriomap",
                  text_of(priority, "name") + " " +
                      std::to_string(number_of<std::uint32_t>(priority, "priority").value_or(0)));
    }

    void read_unified() {
        for (const auto& [file, value] : map_of(resources_, "unified")) {
            if (!is_v2_)
                throw not_supported("linux.resources.unified (" + file + ") without cgroup v2");
            if (file.find('/') != std::string::npos)
                throw Error("linux.resources.unified: " + file + " is not the name of a file");
            const std::string controller = file.substr(0, file.find('.'));
            limits_.more.push_back(
                {controller == "cgroup" ? "" : controller, file, value, true, ""});
        }
    }

    const Json& resources_;
    bool is_v2_;
    Strings& warnings_;
    Limits limits_;
};

/// A rule of `devices`; what it does not name is every one.
DeviceRule rule_of(const Json& device) {
    DeviceRule rule;
    const std::string type = text_of(device, "type");
    const std::string access = text_of(device, "access");
    if (!type.empty() && type != "a" && type != "b" && type != "c")
        throw Error("linux.resources.devices: \"" + type + "\" is not a type of device");
    rule.kind = type.empty() ? 'a' : type.front();
    const auto number = [&](const char* key) -> std::optional<std::uint32_t> {
        const auto found = number_of<std::int64_t>(device, key);
        return found && *found >= 0 ? std::optional(static_cast<std::uint32_t>(*found))
                                    : std::nullopt;
    };
    rule.major_number = number("major");
    rule.minor_number = number("minor");
    const auto may = [&](char letter) {
        return access.empty() || access.find(letter) != std::string::npos;
    };
    rule.may_read = may('r');
    rule.may_write = may('w');
    rule.may_make = may('m');
    return rule;
}

bool is_of_one(const DeviceRule& a, const DeviceRule& b) {
    return a.kind == b.kind && a.major_number == b.major_number && a.minor_number == b.minor_number;
}

/// The devices that are made for it are among those that it reaches.
DeviceRule rule_of_node(const Json& device) {
    DeviceRule rule = rule_of(Json{{"type", text_of(device, "type") == "b" ? "b" : "c"}});
    rule.major_number = number_of<std::uint32_t>(device, "major");
    rule.minor_number = number_of<std::uint32_t>(device, "minor");
    return rule;
}

struct Verdict {
    bool allows;
    DeviceRule rule;
};

/// In their order; what every container has comes last, unless nothing is refused.
std::vector<Verdict> verdicts_of(const Json& linux_part) {
    std::vector<Verdict> verdicts;
    const Json& resources = field(linux_part, "resources");
    bool refuses = false;
    for (const auto& device : field(resources, "devices")) {
        verdicts.push_back({flag_of(device, "allow"), rule_of(device)});
        refuses = refuses || !verdicts.back().allows;
    }
    if (!refuses)
        return {};
    for (const auto& device : field(linux_part, "devices"))
        if (text_of(device, "type") != "p")
            verdicts.push_back({true, rule_of_node(device)});
    for (const auto& rule : cgroup::default_devices())
        verdicts.push_back({true, rule});
    return verdicts;
}

/// What a guard that knows allowed devices only makes of them.
std::vector<DeviceRule> allowed_by(const std::vector<Verdict>& verdicts, Strings& warnings) {
    std::vector<DeviceRule> allowed;
    for (const auto& [allows, rule] : verdicts) {
        if (allows) {
            allowed.push_back(rule);
        } else if (is_everything(rule)) {
            allowed.clear();
        } else if (std::erase_if(allowed,
                                 [&, &refused = rule](const DeviceRule& one) {
                                     return is_of_one(one, refused);
                                 }) == 0 &&
                   std::any_of(allowed.begin(), allowed.end(), is_everything)) {
            warnings.push_back(
                "linux.resources.devices: " + join(cgroup::device_lines(rule), ", ") +
                " cannot be taken out of every device: it is not refused");
        }
    }
    return allowed;
}

}  // namespace

Limits limits_for(const Json& linux_part,
                  cgroup::Mode mode,
                  bool has_device_groups,
                  Strings& warnings) {
    Limits limits = Reader(field(linux_part, "resources"), mode, warnings).read();
    const auto verdicts = verdicts_of(linux_part);
    if (has_device_groups) {
        for (const auto& [allows, rule] : verdicts)
            for (auto& line : cgroup::device_lines(rule))
                limits.more.push_back(
                    {"devices", allows ? "devices.allow" : "devices.deny", std::move(line)});
    } else if (!verdicts.empty()) {
        limits.guards_devices = true;
        limits.allowed_devices = allowed_by(verdicts, warnings);
    }
    return limits;
}

}  // namespace stack::oci
