// top, container top: the processes in containers.

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/local.h"
#include "cli/local_runtime.h"
#include "cli/process_list.h"
#include "cli/style.h"
#include "cli/target.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"

#include <algorithm>

namespace stack::cli {
namespace {

Strings joined(Strings words, const Strings& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

/// One table, as docker compose has it; none where nothing runs.
void run_top(const Context& context, const Targets& targets) {
    const LocalRuntime runtime(context.paths);
    std::vector<Strings> rows{joined({"SERVICE", "#"}, process_head())};
    for (const auto& container : find_targets(context, targets))
        if (is_up(container))
            for (const auto& row : process_rows(runtime.get().processes(container.id)))
                rows.push_back(joined({container.service, std::to_string(container.number)}, row));
    if (rows.size() > 1)
        sys::write_out(table(rows));
}

std::string process_table(const std::vector<int>& pids) {
    auto rows = process_rows(pids);
    rows.insert(rows.begin(), process_head());
    return table(rows);
}

/// What the machine's ps(1) says of these processes with `options`, which name their columns.
std::string ps_rows(const std::vector<int>& pids, Strings options) {
    constexpr const char* program = "/bin/ps";
    if (!sys::exists(program))
        give_up(std::string(program) + " is not there: without it `top` takes no options");
    // Whose terminal and user they have is no matter: all are asked for, ours are shown.
    options.insert(options.begin(), options.front().starts_with('-') ? "-e" : "ax");
    options.insert(options.begin(), program);
    const auto [status, text] = sys::run_and_capture(program, options);
    const Strings lines = split(text, '\n');
    const auto words = [](const std::string& line) {
        Strings all = split(line, ' ');
        std::erase(all, "");
        return all;
    };
    const Strings head = words(lines.front());
    const auto column = std::find(head.begin(), head.end(), "PID") - head.begin();
    if (status != 0 || static_cast<std::size_t>(column) == head.size())
        give_up("ps " + join({options.begin() + 2, options.end()}, " ") +
                " does not tell of processes by their PID: see ps(1)");
    std::string rows = lines.front() + "\n";
    for (const auto& line : lines) {
        const Strings fields = words(line);
        const auto pid = fields.size() > static_cast<std::size_t>(column)
                             ? parse_number<int>(fields[static_cast<std::size_t>(column)])
                             : std::nullopt;
        if (pid && std::find(pids.begin(), pids.end(), *pid) != pids.end())
            rows += line + "\n";
    }
    return rows;
}

}  // namespace

void add_top(CLI::App& app, Context& context) {
    const auto targets = std::make_shared<Targets>();
    declare_targets(app, *targets);
    app.callback([&context, targets] { run_top(context, *targets); });
}

void add_container_top(CLI::App& app, Context& context) {
    const auto target = std::make_shared<Target>();
    const auto options = std::make_shared<Strings>();
    target->naming = Naming::container;
    app.positionals_at_end(true);
    declare_target(app, *target);
    app.add_option("OPTION", *options, "Options of ps(1), such as aux or -o pid,cmd");
    app.callback([&context, target, options] {
        const auto container = find_up_target(context, *target);
        const auto pids = LocalRuntime(context.paths).get().processes(container.id);
        sys::write_out(options->empty() ? process_table(pids) : ps_rows(pids, *options));
    });
}

}  // namespace stack::cli
