// events

#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/log_reader.h"
#include "cli/options.h"
#include "cli/project.h"
#include "supervise/history.h"
#include "sys/file.h"
#include "sys/log_source.h"
#include "sys/signals.h"
#include "sys/terminal.h"

#include <algorithm>
#include <csignal>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using nlohmann::json;

struct Options {
    Strings services;
    std::string since;
    std::string until;
    bool as_json = false;
};

/// `2026-01-02 03:04:05.678901 container start ID (image=busybox, name=shop-web-1)`
std::string event_text(const json& event) {
    constexpr std::size_t microseconds = 26;
    std::string time = event.value("time", "").substr(0, microseconds);
    std::replace(time.begin(), time.end(), 'T', ' ');
    std::string attributes;
    for (const auto& [name, value] : event.at("attributes").items())
        attributes += (attributes.empty() ? "" : ", ") + name + "=" + value.get<std::string>();
    return time + " " + event.value("type", "") + " " + event.value("action", "") + " " +
           event.value("id", "") + " (" + attributes + ")\n";
}

class EventPrinter {
  public:
    EventPrinter(const Context& context, const Options& options)
        : options_(options),
          file_(supervise::events_file(context.paths, find_project(context).name)) {
        const bool only_new = options.since.empty() && options.until.empty();
        filter_.since = time_option(only_new ? "0s" : options.since, "--since");
        filter_.until = time_option(options.until, "--until");
    }

    /// Prints what comes until a person ends it; with --until, what came.
    void run(Context& context) {
        const sys::SignalWatch signals({SIGINT, SIGTERM});
        sys::GrowthWatch growth;
        sys::ensure_directory(sys::parent_path(file_.path()), 0700);
        growth.add(file_.path());
        print();
        while (options_.until.empty()) {
            constexpr int without_end = -1;
            sys::wait_readable({signals.fd().get(), growth.fd().get()}, without_end);
            if (signals.next()) {
                context.exit_code = 130;
                return;
            }
            growth.drain();
            print();
        }
    }

  private:
    void print() {
        std::string text;
        for (const auto& line : read_lines(file_, filter_)) {
            const json event = json::parse(line.text, nullptr, false);
            if (event.is_object() && is_wanted(event.value("service", "")))
                text += options_.as_json ? line.text + "\n" : event_text(event);
        }
        sys::write_out(text);
    }

    [[nodiscard]] bool is_wanted(const std::string& service) const {
        const auto& names = options_.services;
        return names.empty() || std::find(names.begin(), names.end(), service) != names.end();
    }

    const Options& options_;
    LogFile file_;
    LogFilter filter_;
};

}  // namespace

void add_events(CLI::App& app, Context& context) {
    const auto options = std::make_shared<Options>();
    app.add_option("SERVICE", options->services, "Only of these services");
    app.add_flag("--json", options->as_json, "One JSON object a line");
    app.add_option(
        "--since", options->since, "Also what came before: 10m, a date, or Unix seconds");
    app.add_option("--until", options->until, "Print what came before this time, and end");
    app.footer(
        "create, start, restart, health_status, pause, unpause, kill, oom, die, stop, destroy,\n"
        "exec_create, exec_start and exec_die are told. They are kept, 2 MiB of them, until the\n"
        "machine starts anew.");
    app.callback([&context, options] {
        require_root();
        EventPrinter(context, *options).run(context);
    });
}

}  // namespace stack::cli
