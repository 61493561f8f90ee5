// What a container uses: its group's numbers, and what its network interfaces have counted.

#include "base/text.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"

namespace stack::runtime {
namespace {

/// /proc/PID/net/dev: two lines of headings, then `name: received … (8 numbers) sent …`.
void add_traffic(Consumption& all, const std::string& table) {
    constexpr std::size_t received = 0;
    constexpr std::size_t sent = 8;
    for (const auto& line : split(table, '\n')) {
        const auto [name, counters] = split_once(line, ':');
        const auto numbers = split_words(counters);
        if (numbers.size() <= sent || trim(name) == "lo")
            continue;
        all.received_bytes += parse_number<std::int64_t>(numbers[received]).value_or(0);
        all.sent_bytes += parse_number<std::int64_t>(numbers[sent]).value_or(0);
    }
}

/// /proc/meminfo begins with `MemTotal: N kB`.
std::int64_t machine_memory() {
    constexpr std::int64_t kilo = 1024;
    const auto words = split_words(sys::read_file("/proc/meminfo").value_or(""));
    return words.size() < 2 ? 0 : parse_number<std::int64_t>(words[1]).value_or(0) * kilo;
}

}  // namespace

std::optional<Consumption> Runtime::consumption(const std::string& id) const {
    const Places places = places_of(paths_, id);
    const auto live = read_live(places);
    if (!live || !watch(id))
        return std::nullopt;
    Consumption all;
    all.group = cgroups_.usage(places.cgroup);
    all.memory_limit = all.group.memory_limit > 0 ? all.group.memory_limit : machine_memory();
    add_traffic(all,
                sys::read_file("/proc/" + std::to_string(live->pid) + "/net/dev").value_or(""));
    return all;
}

}  // namespace stack::runtime
