// logs

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/follow.h"
#include "cli/local_runtime.h"
#include "cli/options.h"
#include "cli/target.h"
#include "sys/log_source.h"
#include "sys/signals.h"
#include "sys/terminal.h"

#include <csignal>

namespace stack::cli {
namespace {

struct Options {
    LogOptions log;
    Targets targets;
    std::string tail = "all";
    std::string since;
    std::string until;
    int index = 0;
};

void complete(Options& options) {
    if (options.tail != "all" && !options.tail.empty()) {
        options.log.filter.tail = parse_number<std::size_t>(options.tail);
        if (!options.log.filter.tail)
            give_up("--tail wants a number or \"all\", not \"" + options.tail + "\"");
    }
    options.log.filter.since = time_option(options.since, "--since");
    options.log.filter.until = time_option(options.until, "--until");
}

class Follower {
  public:
    Follower(Context& context, const Options& options)
        : context_(context),
          options_(options),
          runtime_(context.paths),
          printer_(context, options.log) {}

    void run() {
        add_containers();
        printer_.print_existing();
        const bool none_is_kept = found_.empty() && options_.targets.naming == Naming::container;
        if (!options_.log.follow || !options_.until.empty() || none_is_kept)
            return;  // what comes is after --until
        const sys::SignalWatch signals({SIGINT, SIGTERM});
        constexpr int look_again_ms = 1000;  // for containers that come and go
        int patience_ms = 0;
        while (!signals.next()) {
            sys::wait_readable({signals.fd().get(), growth_.fd().get()}, patience_ms);
            growth_.drain();
            if (!add_containers()) {
                printer_.print_rest();
                return;
            }
            patience_ms = printer_.print_new(look_again_ms);
        }
        context_.exit_code = 130;
    }

  private:
    /// A service may get more of them; those that were named are followed until they are gone.
    const std::vector<ObservedContainer>& containers() {
        if (options_.targets.naming == Naming::service || found_.empty()) {
            found_ = find_targets(context_, options_.targets);
            if (options_.targets.naming == Naming::container)
                std::erase_if(found_, [this](const auto& one) { return refused(one); });
            return found_;
        }
        std::vector<ObservedContainer> present;
        for (const auto& container : found_)
            if (auto now = runtime_.get().observe(container.id))
                present.push_back(std::move(*now));
        found_ = std::move(present);
        return found_;
    }

    /// As docker has it: what is not kept is no empty log.
    bool refused(const ObservedContainer& container) {
        const bool is_kept = container.service_config->logging.driver != "none";
        if (!is_kept) {
            sys::write_err("stack: container " + container.name +
                           " keeps no log: its log driver is none\n");
            context_.exit_code = 1;
        }
        return !is_kept;
    }

    /// Whether one of them may still print.
    bool add_containers() {
        bool any_runs = false;
        for (const auto& container : containers()) {
            if (options_.index != 0 && container.number != options_.index)
                continue;
            any_runs = any_runs || is_up(container) || comes_back(container);
            const std::string path = runtime_.get().log_path(container.id);
            printer_.add(container, path);
            growth_.add(path);
        }
        return any_runs;
    }

    Context& context_;
    const Options& options_;
    LocalRuntime runtime_;
    std::vector<ObservedContainer> found_;
    LogPrinter printer_;
    sys::GrowthWatch growth_;
};

std::shared_ptr<Options> declare(CLI::App& app, Context& context, Naming naming) {
    const auto options = std::make_shared<Options>();
    options->targets.naming = naming;
    declare_targets(app, options->targets);
    app.add_flag("-f,--follow", options->log.follow, "Go on with what comes");
    app.add_option(
        "-n,--tail", options->tail, "Only the last lines of each container (default all)");
    app.add_option("--since", options->since, "Only what came after: 10m, a date, or Unix seconds");
    app.add_option("--until", options->until, "Only what came before");
    app.add_option("--grep", options->log.filter.grep, "Only lines that hold this text");
    app.add_flag("-t,--timestamps", options->log.timestamps, "Show when each line was printed");
    app.callback([&context, options] {
        complete(*options);
        if (options->targets.naming == Naming::container && options->targets.names.size() == 1)
            options->log.no_prefix = true;
        options->log.splits_streams = options->targets.naming == Naming::container;
        Follower(context, *options).run();
    });
    return options;
}

}  // namespace

void add_logs(CLI::App& app, Context& context) {
    const auto options = declare(app, context, Naming::service);
    app.add_option("--index", options->index, "Only this container of a service");
    app.add_flag("--no-log-prefix", options->log.no_prefix, "Leave out the container's name");
    app.add_flag("--no-color", options->log.no_colour, "No colours");
}

void add_container_logs(CLI::App& app, Context& context) {
    declare(app, context, Naming::container);
}

}  // namespace stack::cli
