// Numbers of a group, as each version of the kernel's interface words them.

#include "base/text.h"
#include "engine/cgroup/cgroup.h"
#include "engine/cgroup/tree.h"
#include "sys/file.h"

#include <cstdio>

namespace stack::cgroup {
namespace {

std::int64_t read_number(const std::string& file) {
    return parse_number<std::int64_t>(trim(sys::read_file(file).value_or(""))).value_or(0);
}

std::int64_t read_signed_field(const std::string& file, std::string_view name) {
    return static_cast<std::int64_t>(read_field(file, name));
}

/// *.pressure: `some avg10=0.12 avg60=… `, then `full …`.
std::optional<double> read_pressure(const std::string& file) {
    const std::string text = sys::read_file(file).value_or("");
    double value = 0;
    if (std::sscanf(text.c_str(), "some avg10=%lf", &value) != 1)
        return std::nullopt;
    return value;
}

/// io.stat: a line a device, `8:0 rbytes=1 wbytes=2 …`.
void add_v2_io(Usage& usage, const std::string& file) {
    for (const auto& word : split_words(sys::read_file(file).value_or(""))) {
        const auto [key, value] = split_once(word, '=');
        if (key == "rbytes")
            usage.read_bytes += parse_number<std::int64_t>(value).value_or(0);
        if (key == "wbytes")
            usage.written_bytes += parse_number<std::int64_t>(value).value_or(0);
    }
}

/// A line a device and operation, `8:0 Read 1`. Only groups with a block limit are in this
/// hierarchy.
void add_v1_io(Usage& usage, const std::string& file) {
    for (const auto& line : split(sys::read_file(file).value_or(""), '\n')) {
        const auto words = split(line, ' ');
        if (words.size() != 3)
            continue;
        if (words[1] == "Read")
            usage.read_bytes += parse_number<std::int64_t>(words[2]).value_or(0);
        if (words[1] == "Write")
            usage.written_bytes += parse_number<std::int64_t>(words[2]).value_or(0);
    }
}

Usage v2_usage(const Tree& tree, const std::string& path) {
    constexpr std::uint64_t ns_per_us = 1000;
    Usage usage;
    usage.cpu_ns = read_field(tree.file("cpu", path, "cpu.stat"), "usage_usec") * ns_per_us;
    usage.memory = read_number(tree.file("memory", path, "memory.current")) -
                   read_signed_field(tree.file("memory", path, "memory.stat"), "inactive_file");
    usage.memory_limit = read_number(tree.file("memory", path, "memory.max"));
    usage.memory_peak = read_number(tree.file("memory", path, "memory.peak"));
    add_v2_io(usage, tree.file("io", path, "io.stat"));
    return usage;
}

Usage v1_usage(const Tree& tree, const std::string& path) {
    // What v1 reads back where there is no limit is the largest multiple of the page size.
    constexpr std::int64_t no_limit = INT64_MAX / 2;
    Usage usage;
    usage.cpu_ns =
        static_cast<std::uint64_t>(read_number(tree.file("cpuacct", path, "cpuacct.usage")));
    usage.memory =
        read_number(tree.file("memory", path, "memory.usage_in_bytes")) -
        read_signed_field(tree.file("memory", path, "memory.stat"), "total_inactive_file");
    const std::int64_t limit = read_number(tree.file("memory", path, "memory.limit_in_bytes"));
    usage.memory_limit = limit > no_limit ? 0 : limit;
    usage.memory_peak = read_number(tree.file("memory", path, "memory.max_usage_in_bytes"));
    add_v1_io(usage, tree.file("blkio", path, "blkio.throttle.io_service_bytes"));
    return usage;
}

}  // namespace

std::string Cgroups::oom_file(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    if (!tree.has("memory"))
        return {};
    return tree.file("memory", path, mode_ == Mode::v2 ? "memory.events" : "memory.oom_control");
}

std::uint64_t Cgroups::oom_kills(const std::string& path) const {
    return read_field(oom_file(path), "oom_kill");
}

Usage Cgroups::usage(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    Usage usage = mode_ == Mode::v2 ? v2_usage(tree, path) : v1_usage(tree, path);
    usage.pids = read_number(tree.file("pids", path, "pids.current"));
    if (const std::string v2 = tree.v2_directory(path); !v2.empty()) {
        usage.cpu_pressure = read_pressure(v2 + "/cpu.pressure");
        usage.memory_pressure = read_pressure(v2 + "/memory.pressure");
        usage.io_pressure = read_pressure(v2 + "/io.pressure");
    }
    return usage;
}

}  // namespace stack::cgroup
