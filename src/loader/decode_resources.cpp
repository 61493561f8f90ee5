// The limits that a service gives under their old names; deploy has others.

#include "loader/decode.h"

namespace stack::loader {
namespace {

Blkio decode_blkio(const Node& node, Reporter& reporter) {
    Object object(node, "`blkio_config`", reporter);
    Blkio blkio;
    constexpr Range weights{10, 1000};  // the kernel's
    int weight = 0;
    object.integer("weight", weight, weights);
    blkio.weight = static_cast<std::uint16_t>(weight);
    const auto rates = [&](const char* key, std::vector<BlkioRate>& list) {
        const Node* items = object.take(key);
        if (items == nullptr)
            return;
        for (const auto& item : items->items) {
            Object entry(item, std::string("an element of `") + key + "`", reporter);
            BlkioRate rate;
            std::optional<Bytes> value;
            entry.text("path", rate.path);
            entry.bytes("rate", value);
            rate.rate = static_cast<std::uint64_t>(value.value_or(0));
            list.push_back(std::move(rate));
        }
    };
    rates("device_read_bps", blkio.device_read_bps);
    rates("device_write_bps", blkio.device_write_bps);
    rates("device_read_iops", blkio.device_read_iops);
    rates("device_write_iops", blkio.device_write_iops);
    if (const Node* devices = object.take("weight_device"))
        for (const auto& item : devices->items) {
            Object entry(item, "an element of `weight_device`", reporter);
            BlkioWeight one;
            int number = 0;
            entry.text("path", one.path);
            entry.integer("weight", number, weights);
            one.weight = static_cast<std::uint16_t>(number);
            blkio.weight_device.push_back(std::move(one));
        }
    return blkio;
}

}  // namespace

void decode_resources(Object& object, Resources& resources) {
    object.number("cpus", resources.cpus);
    object.number("cpu_shares", resources.cpu_shares, {0, 262'144});
    object.number("cpu_quota", resources.cpu_quota, or_unlimited);
    object.number("cpu_period", resources.cpu_period, {0, 1'000'000});
    object.number("cpu_rt_runtime", resources.cpu_rt_runtime, or_unlimited);
    object.number("cpu_rt_period", resources.cpu_rt_period, natural);
    object.text("cpuset", resources.cpuset);
    object.limit("mem_limit", resources.memory);
    object.limit("mem_reservation", resources.memory_reservation);
    object.limit("memswap_limit", resources.memory_swap);
    object.number("mem_swappiness", resources.memory_swappiness, {0, 100});
    object.number("pids_limit", resources.pids, or_unlimited);
    object.boolean("oom_kill_disable", resources.oom_kill_disable);
    if (const Node* blkio = object.take("blkio_config"))
        resources.blkio = decode_blkio(*blkio, object.reporter);
}

}  // namespace stack::loader
