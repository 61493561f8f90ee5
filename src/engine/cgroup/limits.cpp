// Limits as writes to files, decided without a kernel. Zero stands for "no limit" in a stack file
// (Docker's rule) and is nowhere passed on: to the kernel it is a limit like any other.

#include "engine/cgroup/cgroup.h"

#include <algorithm>
#include <cmath>

namespace stack::cgroup {
namespace {

using Writes = std::vector<FileWrite>;

constexpr std::int64_t default_period_us = 100'000;
constexpr std::int64_t default_shares = 1024;
constexpr std::int64_t default_rt_period_us = 1'000'000;
constexpr const char* default_block_weight = "100";

template <class T>
bool is_set(const std::optional<T>& value) {
    return value && *value != 0;
}

std::string unlimited_or(std::int64_t value, const char* unlimited) {
    return value <= 0 ? unlimited : std::to_string(value);
}

/// Memory and swap together. Unset means twice the memory, as Docker has it; negative, no limit.
std::int64_t memory_and_swap(const Resources& resources) {
    if (*resources.memory <= 0)
        return -1;
    if (is_set(resources.memory_swap))
        return *resources.memory_swap;
    return *resources.memory > INT64_MAX / 2 ? INT64_MAX : *resources.memory * 2;
}

struct Bandwidth {
    std::int64_t quota;
    std::int64_t period;
};

std::optional<Bandwidth> bandwidth(const Resources& resources) {
    const std::int64_t period =
        is_set(resources.cpu_period) ? *resources.cpu_period : default_period_us;
    if (is_set(resources.cpus))
        return Bandwidth{std::llround(*resources.cpus * static_cast<double>(period)), period};
    if (is_set(resources.cpu_quota))
        return Bandwidth{*resources.cpu_quota, period};
    return std::nullopt;
}

std::optional<std::int64_t> shares(const Resources& resources) {
    if (is_set(resources.cpu_shares))
        return resources.cpu_shares;
    if (is_set(resources.reserved_cpus))  // one cpu weighs as much as the default
        return std::max<std::int64_t>(2, std::llround(*resources.reserved_cpus * default_shares));
    return std::nullopt;
}

/// 2..262144 shares to 1..10000, 1024 to 100: the quadratic curve that runc and crun use since
/// 2024.
std::int64_t weight_of(std::int64_t cpu_shares) {
    const double l =
        std::log2(static_cast<double>(std::clamp<std::int64_t>(cpu_shares, 2, 262'144)));
    const double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
    return std::clamp<std::int64_t>(
        static_cast<std::int64_t>(std::ceil(std::pow(10, exponent))), 1, 10'000);
}

/// A block weight of 10..1000 as one of 1..10000 (runc's mapping).
std::int64_t io_weight_of(std::int64_t weight) {
    return 1 + (std::clamp<std::int64_t>(weight, 10, 1000) - 10) * 9999 / 990;
}

void add_if_set(Writes& writes,
                const char* controller,
                const char* file,
                const std::optional<std::int64_t>& value) {
    if (value)
        writes.push_back({controller, file, std::to_string(*value)});
}

void add_rates(Writes& writes,
               const char* controller,
               const char* file,
               const std::string& prefix,
               const std::vector<BlkioRate>& rates) {
    for (const auto& rate : rates)
        writes.push_back({controller, file, prefix + std::to_string(rate.rate), true, rate.path});
}

void add_v1_memory(Writes& writes, const Resources& resources) {
    if (resources.memory) {
        writes.push_back(
            {"memory", "memory.limit_in_bytes", unlimited_or(*resources.memory, "-1"), true});
        writes.push_back({"memory",
                          "memory.memsw.limit_in_bytes",
                          unlimited_or(memory_and_swap(resources), "-1")});
    }
    add_if_set(writes, "memory", "memory.soft_limit_in_bytes", resources.memory_reservation);
    add_if_set(writes, "memory", "memory.swappiness", resources.memory_swappiness);
    if (resources.oom_kill_disable)
        writes.push_back({"memory", "memory.oom_control", "1"});
}

void add_v1_cpu(Writes& writes, const Resources& resources) {
    if (const auto limit = bandwidth(resources)) {
        writes.push_back({"cpu", "cpu.cfs_period_us", std::to_string(limit->period), true});
        writes.push_back({"cpu", "cpu.cfs_quota_us", unlimited_or(limit->quota, "-1"), true});
    }
    add_if_set(writes, "cpu", "cpu.shares", shares(resources));
    add_if_set(writes, "cpu", "cpu.rt_period_us", resources.cpu_rt_period);
    add_if_set(writes, "cpu", "cpu.rt_runtime_us", resources.cpu_rt_runtime);
    if (!resources.cpuset.empty())
        writes.push_back({"cpuset", "cpuset.cpus", resources.cpuset, true});
    if (!resources.cpuset_mems.empty())
        writes.push_back({"cpuset", "cpuset.mems", resources.cpuset_mems, true});
}

/// Weights are those of BFQ, the only scheduler of blocks that has had any on v1 since Linux 5.0.
void add_v1_blkio(Writes& writes, const Blkio& blkio) {
    if (blkio.weight != 0)
        writes.push_back({"blkio", "blkio.bfq.weight", std::to_string(blkio.weight)});
    for (const auto& [path, weight] : blkio.weight_device)
        writes.push_back({"blkio", "blkio.bfq.weight_device", std::to_string(weight), false, path});
    add_rates(writes, "blkio", "blkio.throttle.read_bps_device", "", blkio.device_read_bps);
    add_rates(writes, "blkio", "blkio.throttle.write_bps_device", "", blkio.device_write_bps);
    add_rates(writes, "blkio", "blkio.throttle.read_iops_device", "", blkio.device_read_iops);
    add_rates(writes, "blkio", "blkio.throttle.write_iops_device", "", blkio.device_write_iops);
}

void add_v2_memory(Writes& writes, const Resources& resources) {
    if (resources.memory) {
        const std::int64_t both = memory_and_swap(resources);
        writes.push_back({"memory", "memory.max", unlimited_or(*resources.memory, "max"), true});
        writes.push_back(
            {"memory",
             "memory.swap.max",
             both < 0 ? "max"
                      : std::to_string(std::max<std::int64_t>(0, both - *resources.memory))});
    }
    add_if_set(writes, "memory", "memory.low", resources.memory_reservation);
    // v2 has no such files: that they are not there says so to the user.
    add_if_set(writes, "memory", "memory.swappiness", resources.memory_swappiness);
    if (resources.oom_kill_disable)
        writes.push_back({"memory", "memory.oom_control", "1"});
}

void add_v2_cpu(Writes& writes, const Resources& resources) {
    if (const auto limit = bandwidth(resources))
        writes.push_back({"cpu",
                          "cpu.max",
                          unlimited_or(limit->quota, "max") + " " + std::to_string(limit->period),
                          true});
    if (const auto wanted = shares(resources))
        writes.push_back({"cpu", "cpu.weight", std::to_string(weight_of(*wanted))});
    add_if_set(writes, "cpu", "cpu.rt_period_us", resources.cpu_rt_period);
    add_if_set(writes, "cpu", "cpu.rt_runtime_us", resources.cpu_rt_runtime);
    if (!resources.cpuset.empty())
        writes.push_back({"cpuset", "cpuset.cpus", resources.cpuset, true});
    if (!resources.cpuset_mems.empty())
        writes.push_back({"cpuset", "cpuset.mems", resources.cpuset_mems, true});
}

void add_v2_io(Writes& writes, const Blkio& blkio) {
    if (blkio.weight != 0)
        writes.push_back(
            {"io", "io.weight", "default " + std::to_string(io_weight_of(blkio.weight))});
    for (const auto& [path, weight] : blkio.weight_device)
        writes.push_back({"io", "io.weight", std::to_string(io_weight_of(weight)), false, path});
    add_rates(writes, "io", "io.max", "rbps=", blkio.device_read_bps);
    add_rates(writes, "io", "io.max", "wbps=", blkio.device_write_bps);
    add_rates(writes, "io", "io.max", "riops=", blkio.device_read_iops);
    add_rates(writes, "io", "io.max", "wiops=", blkio.device_write_iops);
}

void add_pids(Writes& writes, const Resources& resources) {
    if (resources.pids)
        writes.push_back({"pids", "pids.max", unlimited_or(*resources.pids, "max"), true});
}

Writes v1_limits(const Resources& resources) {
    Writes writes;
    add_v1_memory(writes, resources);
    add_v1_cpu(writes, resources);
    add_pids(writes, resources);
    add_v1_blkio(writes, resources.blkio);
    return writes;
}

Writes v2_limits(const Resources& resources) {
    Writes writes;
    add_v2_memory(writes, resources);
    add_v2_cpu(writes, resources);
    add_pids(writes, resources);
    add_v2_io(writes, resources.blkio);
    return writes;
}

Writes v1_lifted(const Resources& resources) {
    Writes writes;
    if (!resources.memory) {
        writes.push_back({"memory", "memory.memsw.limit_in_bytes", "-1"});
        writes.push_back({"memory", "memory.limit_in_bytes", "-1"});
    }
    if (!resources.memory_reservation)
        writes.push_back({"memory", "memory.soft_limit_in_bytes", "-1"});
    if (!resources.oom_kill_disable)
        writes.push_back({"memory", "memory.oom_control", "0"});
    if (!bandwidth(resources)) {
        writes.push_back({"cpu", "cpu.cfs_quota_us", "-1"});
        writes.push_back({"cpu", "cpu.cfs_period_us", std::to_string(default_period_us)});
    }
    if (!shares(resources))
        writes.push_back({"cpu", "cpu.shares", std::to_string(default_shares)});
    if (!resources.cpu_rt_runtime)
        writes.push_back({"cpu", "cpu.rt_runtime_us", "0"});
    if (!resources.cpu_rt_period)
        writes.push_back({"cpu", "cpu.rt_period_us", std::to_string(default_rt_period_us)});
    if (!resources.pids)
        writes.push_back({"pids", "pids.max", "max"});
    if (resources.blkio.weight == 0)
        writes.push_back({"blkio", "blkio.bfq.weight", default_block_weight});
    return writes;
}

Writes v2_lifted(const Resources& resources) {
    Writes writes;
    if (!resources.memory) {
        writes.push_back({"memory", "memory.max", "max"});
        writes.push_back({"memory", "memory.swap.max", "max"});
    }
    if (!resources.memory_reservation)
        writes.push_back({"memory", "memory.low", "0"});
    if (!bandwidth(resources))
        writes.push_back({"cpu", "cpu.max", "max " + std::to_string(default_period_us)});
    if (!shares(resources))
        writes.push_back({"cpu", "cpu.weight", std::to_string(weight_of(default_shares))});
    if (resources.cpuset.empty())
        writes.push_back({"cpuset", "cpuset.cpus", "\n"});  // empty: the parent's
    if (resources.cpuset_mems.empty())
        writes.push_back({"cpuset", "cpuset.mems", "\n"});
    if (!resources.pids)
        writes.push_back({"pids", "pids.max", "max"});
    if (resources.blkio.weight == 0)
        writes.push_back({"io", "io.weight", std::string("default ") + default_block_weight});
    return writes;
}

}  // namespace

std::vector<FileWrite> limits_for(Mode mode, const Resources& resources) {
    switch (mode) {
        case Mode::none:
            return {};
        case Mode::v1:
        case Mode::hybrid:
            return v1_limits(resources);
        case Mode::v2:
            return v2_limits(resources);
    }
    return {};
}

std::vector<FileWrite> lifted_limits_for(Mode mode, const Resources& resources) {
    switch (mode) {
        case Mode::none:
            return {};
        case Mode::v1:
        case Mode::hybrid:
            return v1_lifted(resources);
        case Mode::v2:
            return v2_lifted(resources);
    }
    return {};
}

}  // namespace stack::cgroup
