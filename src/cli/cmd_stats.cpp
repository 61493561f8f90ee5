// stats, container stats

#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/local_runtime.h"
#include "cli/style.h"
#include "cli/target.h"
#include "sys/signals.h"
#include "sys/terminal.h"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    Targets targets;
    std::string format = "table";
    bool all = false;
    bool once = false;
    bool no_trunc = false;
};

/// One container's numbers between two looks.
struct Row {
    ObservedContainer container;
    std::optional<runtime::Consumption> now;  // none: it does not run
    double cpu = 0;                           // per cent of one processor
};

std::string per_cent(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f%%", value);
    return text.data();
}

/// Powers of 1024, as docker prints memory.
std::string memory_text(std::int64_t bytes) {
    constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit)
        value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.4g%s", value, units.at(unit));
    return text.data();
}

double share_of(std::int64_t part, std::int64_t whole) {
    constexpr double hundred = 100;
    return whole > 0 ? hundred * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string pair_text(const std::string& first, const std::string& second) {
    return first + " / " + second;
}

std::string pressure_text(const cgroup::Usage& usage) {
    std::string text;
    for (const auto& pressure : {usage.cpu_pressure, usage.memory_pressure, usage.io_pressure})
        text += (text.empty() ? "" : " / ") + (pressure ? per_cent(*pressure) : "--");
    return text;
}

struct Column {
    const char* field;  // docker's name
    const char* title;
};

constexpr std::array columns{
    Column{"ID", "CONTAINER ID"},
    Column{"Name", "NAME"},
    Column{"CPUPerc", "CPU %"},
    Column{"MemUsage", "MEM USAGE / LIMIT"},
    Column{"MemPerc", "MEM %"},
    Column{"NetIO", "NET I/O"},
    Column{"BlockIO", "BLOCK I/O"},
    Column{"PIDs", "PIDS"},
    Column{"Pressure", "WAITS CPU / MEM / IO"},
};

/// In the order of the columns.
Strings cells(const Row& row, bool no_trunc) {
    constexpr std::size_t short_id = 12;
    const auto& container = row.container;
    const std::string id = no_trunc ? container.id : container.id.substr(0, short_id);
    std::string cpu = "--";
    std::string memory = "-- / --";
    std::string share = "--";
    std::string network = "-- / --";
    std::string block = "-- / --";
    std::string pids = "--";
    std::string pressure = "-- / -- / --";
    if (row.now) {
        const auto& usage = row.now->group;
        cpu = per_cent(row.cpu);
        memory = pair_text(memory_text(usage.memory), memory_text(row.now->memory_limit));
        share = per_cent(share_of(usage.memory, row.now->memory_limit));
        network =
            pair_text(format_bytes(row.now->received_bytes), format_bytes(row.now->sent_bytes));
        block = pair_text(format_bytes(usage.read_bytes), format_bytes(usage.written_bytes));
        pids = std::to_string(usage.pids);
        pressure = pressure_text(usage);
    }
    return {id, container.name, cpu, memory, share, network, block, pids, pressure};
}

std::string rows_text(const std::vector<Row>& rows, const Options& options) {
    std::map<std::string, std::string> titles;
    std::vector<Strings> lines{{}};
    for (const auto& column : columns) {
        titles[column.field] = column.title;
        lines.front().emplace_back(column.title);
    }
    std::vector<nlohmann::json> objects;
    for (const auto& row : rows) {
        lines.push_back(cells(row, options.no_trunc));
        objects.push_back({{"Container", row.container.id}, {"Service", row.container.service}});
        for (std::size_t i = 0; i < columns.size(); ++i)
            objects.back()[columns.at(i).field] = lines.back().at(i);
    }
    if (is_template(options.format))
        return formatted(options.format, objects, titles);
    if (options.format == "table")
        return table(lines);
    std::string text;
    for (const auto& object : objects)
        text += object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    return text;
}

/// Reads again and again; what is used a second is the difference to the reading before.
class Meter {
  public:
    Meter(const Context& context, const Options& options)
        : context_(context), options_(options), runtime_(context.paths) {}

    std::vector<Row> read() {
        std::map<std::string, Reading> readings;
        std::vector<Row> rows;
        for (auto& container : containers()) {
            Row row;
            row.now = runtime_.get().consumption(container.id);
            row.container = std::move(container);
            if (!row.now && !options_.all)
                continue;
            const Reading reading{Clock::now(), row.now ? row.now->group.cpu_ns : 0};
            readings[row.container.id] = reading;
            if (const auto before = before_.find(row.container.id); before != before_.end())
                row.cpu = rate(before->second, reading);
            rows.push_back(std::move(row));
        }
        before_ = std::move(readings);
        return rows;
    }

  private:
    struct Reading {
        Clock::time_point time;
        std::uint64_t cpu_ns = 0;
    };

    static double rate(const Reading& before, const Reading& now) {
        const auto passed = std::chrono::nanoseconds(now.time - before.time).count();
        const bool same_run = now.cpu_ns >= before.cpu_ns;
        return same_run ? share_of(static_cast<std::int64_t>(now.cpu_ns - before.cpu_ns), passed)
                        : 0;
    }

    /// As docker has it: without names, all of them.
    [[nodiscard]] std::vector<ObservedContainer> containers() const {
        if (options_.targets.naming == Naming::container && options_.targets.names.empty())
            return all_containers(context_);
        return find_targets(context_, options_.targets);
    }

    const Context& context_;
    const Options& options_;
    LocalRuntime runtime_;
    std::map<std::string, Reading> before_;  // by container id
};

void run_stats(Context& context, const Options& options) {
    constexpr int between_ms = 1000;
    constexpr const char* clear_screen = "\033[H\033[J";
    const bool redraws =
        !options.once && options.format.starts_with("table") && sys::is_terminal(1);
    const sys::SignalWatch signals({SIGINT, SIGTERM});
    Meter meter(context, options);
    static_cast<void>(meter.read());
    do {
        sys::wait_readable({signals.fd().get()}, between_ms);
        if (signals.next()) {
            context.exit_code = 130;
            return;
        }
        sys::write_out((redraws ? clear_screen : "") + rows_text(meter.read(), options));
    } while (!options.once);
}

void declare(CLI::App& app, Context& context, Naming naming) {
    const auto options = std::make_shared<Options>();
    options->targets.naming = naming;
    if (naming == Naming::service)
        declare_targets(app, options->targets);
    else
        app.add_option(
            "CONTAINER", options->targets.names, "Only these, by name or beginning of the id");
    app.add_flag("-a,--all", options->all, "Also those that do not run");
    app.add_flag("--no-stream", options->once, "Print once, after a second, and end");
    app.add_flag("--no-trunc", options->no_trunc, "Whole ids");
    add_format(app, options->format);
    app.footer(
        "The last column is for how much of ten seconds something waited for a processor, memory\n"
        "or a disk (pressure stall information, where there is cgroup v2).");
    app.callback([&context, options] { run_stats(context, *options); });
}

}  // namespace

void add_stats(CLI::App& app, Context& context) {
    declare(app, context, Naming::service);
}

void add_container_stats(CLI::App& app, Context& context) {
    declare(app, context, Naming::container);
}

}  // namespace stack::cli
