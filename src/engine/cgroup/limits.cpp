// Limits as writes to files: what engine.md 4.1 lists, decided without a kernel.

#include "engine/cgroup/cgroup.h"

#include <algorithm>
#include <cmath>

namespace stack::cgroup {
namespace {

constexpr std::int64_t default_period_us = 100'000;

std::string unlimited_or(std::int64_t value, const char* unlimited) {
    return value < 0 ? unlimited : std::to_string(value);
}

/// Memory and swap together. Unset means twice the memory, as Docker has it.
std::int64_t memory_and_swap(const Resources& resources) {
    return resources.memory_swap.value_or(
        *resources.memory > (INT64_MAX >> 1) ? INT64_MAX : *resources.memory * 2);
}

struct Bandwidth {
    std::int64_t quota;
    std::int64_t period;
};

std::optional<Bandwidth> bandwidth(const Resources& resources) {
    const std::int64_t period = resources.cpu_period.value_or(default_period_us);
    if (resources.cpus)
        return Bandwidth{std::llround(*resources.cpus * static_cast<double>(period)), period};
    if (resources.cpu_quota)
        return Bandwidth{*resources.cpu_quota, period};
    return std::nullopt;
}

std::optional<std::int64_t> shares(const Resources& resources) {
    if (resources.cpu_shares)
        return resources.cpu_shares;
    if (resources.reserved_cpus)  // a reservation of one cpu weighs as much as the default of 1024
                                  // shares
        return std::max<std::int64_t>(2, std::llround(*resources.reserved_cpus * 1024));
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

std::vector<FileWrite> v1_limits(const Resources& resources) {
    std::vector<FileWrite> writes;
    if (resources.memory) {
        writes.push_back(
            {"memory", "memory.limit_in_bytes", unlimited_or(*resources.memory, "-1"), true});
        writes.push_back({"memory",
                          "memory.memsw.limit_in_bytes",
                          unlimited_or(memory_and_swap(resources), "-1")});
    }
    if (resources.memory_reservation)
        writes.push_back({"memory",
                          "memory.soft_limit_in_bytes",
                          std::to_string(*resources.memory_reservation)});
    if (resources.memory_swappiness)
        writes.push_back(
            {"memory", "memory.swappiness", std::to_string(*resources.memory_swappiness)});
    if (resources.oom_kill_disable)
        writes.push_back({"memory", "memory.oom_control", "1"});
    if (const auto limit = bandwidth(resources)) {
        writes.push_back({"cpu", "cpu.cfs_period_us", std::to_string(limit->period), true});
        writes.push_back({"cpu", "cpu.cfs_quota_us", std::to_string(limit->quota), true});
    }
    if (const auto wanted = shares(resources))
        writes.push_back({"cpu", "cpu.shares", std::to_string(*wanted)});
    if (resources.cpu_rt_period)
        writes.push_back({"cpu", "cpu.rt_period_us", std::to_string(*resources.cpu_rt_period)});
    if (resources.cpu_rt_runtime)
        writes.push_back({"cpu", "cpu.rt_runtime_us", std::to_string(*resources.cpu_rt_runtime)});
    if (!resources.cpuset.empty())
        writes.push_back({"cpuset", "cpuset.cpus", resources.cpuset, true});
    if (resources.pids)
        writes.push_back({"pids", "pids.max", unlimited_or(*resources.pids, "max"), true});
    if (resources.blkio.weight != 0)
        writes.push_back({"blkio", "blkio.weight", std::to_string(resources.blkio.weight)});
    return writes;
}

std::vector<FileWrite> v2_limits(const Resources& resources) {
    std::vector<FileWrite> writes;
    if (resources.memory) {
        const std::int64_t both = memory_and_swap(resources);
        writes.push_back({"memory", "memory.max", unlimited_or(*resources.memory, "max"), true});
        writes.push_back(
            {"memory",
             "memory.swap.max",
             both < 0 ? "max"
                      : std::to_string(std::max<std::int64_t>(0, both - *resources.memory))});
    }
    if (resources.memory_reservation)
        writes.push_back({"memory", "memory.low", std::to_string(*resources.memory_reservation)});
    if (const auto limit = bandwidth(resources))
        writes.push_back({"cpu",
                          "cpu.max",
                          unlimited_or(limit->quota, "max") + " " + std::to_string(limit->period),
                          true});
    if (const auto wanted = shares(resources))
        writes.push_back({"cpu", "cpu.weight", std::to_string(weight_of(*wanted))});
    if (!resources.cpuset.empty())
        writes.push_back({"cpuset", "cpuset.cpus", resources.cpuset, true});
    if (resources.pids)
        writes.push_back({"pids", "pids.max", unlimited_or(*resources.pids, "max"), true});
    if (resources.blkio.weight != 0)  // 10..1000 to 1..10000 (runc's mapping)
        writes.push_back(
            {"io",
             "io.weight",
             "default " + std::to_string(1 + (resources.blkio.weight - 10) * 9999 / 990)});
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

}  // namespace stack::cgroup
