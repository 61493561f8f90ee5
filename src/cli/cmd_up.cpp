// up, create

#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/dry_run.h"
#include "cli/follow.h"
#include "cli/local.h"
#include "cli/local_runtime.h"
#include "cli/options.h"
#include "cli/project.h"
#include "cli/watcher.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"
#include "sys/log_source.h"
#include "sys/signals.h"
#include "sys/terminal.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <future>
#include <set>
#include <thread>

namespace stack::cli {
namespace {

struct AttachOptions {
    bool detach = false;
    bool wait = false;
    std::optional<double> wait_timeout;  // seconds
    bool dependencies = false;           // show theirs, too, where services are named
    bool abort_on_exit = false;
    bool abort_on_failure = false;
    std::string exit_code_from;
    Strings attach;     // empty: all
    Strings no_attach;  // not these
    bool watch = false;
    bool creates = false;  // no service at all is nothing to create, but nothing to bring up either
    LogOptions log;
    Quiet quiet;
};

/// The services and all that they depend on.
Strings with_dependencies(const Stack& stack, Strings services) {
    for (std::size_t i = 0; i < services.size(); ++i)
        for (const auto& [name, how] : stack.services.at(services[i]).depends_on)
            if (stack.services.contains(name) &&
                std::find(services.begin(), services.end(), name) == services.end())
                services.push_back(name);
    return services;
}

/// A watcher in a thread of its own, beside the output.
class Watching {
  public:
    explicit Watching(Watcher& watcher)
        : pipe_(sys::make_pipe()), thread_([this, &watcher] { watcher.run(pipe_.read); }) {}

    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

    ~Watching() {
        end();
        thread_.join();
    }

    /// It ends after what it is doing.
    void end() { pipe_.write.reset(); }

  private:
    sys::Pipe pipe_;
    std::thread thread_;  // last: it reads the pipe
};

constexpr const char* stopping_text = "Gracefully Stopping... press Ctrl+C again to force\n";

/// Whatever is still under way: who presses Ctrl-C a third time wants the terminal.
[[noreturn]] void leave_at_once() {
    sys::write_err("got 3 SIGTERM/SIGINTs, forcefully exiting\n");
    std::_Exit(given_up);
}

/// An `up` in the foreground.
struct Foreground {
    Context& context;
    const Stack& stack;
    const UpOptions& up;
    const AttachOptions& options;
    const sys::SignalWatch& signals;
};

/// An `up` that is to stay in the foreground, on its way there. A Ctrl-C gives it up, and what it
/// has started is stopped.
class BringUp {
  public:
    BringUp(const Foreground& up, const Request& request)
        : context_(up.context),
          stack_(up.stack),
          request_(request),
          options_(up.options),
          signals_(up.signals),
          services_(services_at_rest()) {}

    int run() {
        const int status = do_and_listen([this](const std::stop_token& stop) {
            return ask(context_, stack_, request_, "Running", options_.quiet, stop);
        });
        if (interrupts_ == 0)
            return status;
        if (!services_.empty())
            stop_services();
        return given_up;
    }

  private:
    /// Those of which nothing runs yet: what runs of them in the end has been started here.
    [[nodiscard]] Strings services_at_rest() const {
        LocalEngine local(context_.paths);
        const Observed observed = local.observe(stack_);
        Strings services = with_dependencies(stack_, request_.up.services);
        if (services.empty())
            for (const auto& [name, service] : stack_.services)
                services.push_back(name);
        std::erase_if(services, [&](const std::string& name) {
            return std::any_of(observed.containers.begin(),
                               observed.containers.end(),
                               [&](const auto& one) { return one.service == name && runs(one); });
        });
        return services;
    }

    static bool runs(const ObservedContainer& container) {
        return is_up(container) && !container.oneoff;
    }

    void stop_services() {
        Request stop;
        stop.verb = "stop";
        stop.services = services_;
        stop.timeout = request_.up.timeout;
        do_and_listen(
            [&](const std::stop_token&) { return ask(context_, stack_, stop, "Stopping"); });
    }

    /// Works in a thread of its own, so that signals are seen meanwhile.
    int do_and_listen(const std::function<int(const std::stop_token&)>& work) {
        std::stop_source source;
        sys::Pipe over = sys::make_pipe();
        auto answer = std::async(std::launch::async, [&] {
            const sys::Fd told_at_the_end = std::move(over.write);
            return work(source.get_token());
        });
        for (;;) {
            sys::wait_readable({signals_.fd().get(), over.read.get()}, -1);
            while (signals_.next())
                interrupt(source);
            if (sys::is_readable(over.read))
                return answer.get();
        }
    }

    void interrupt(std::stop_source& source) {
        ++interrupts_;
        if (interrupts_ == 1)
            sys::write_err(stopping_text);
        else if (interrupts_ == 2)
            kill_started();
        else
            leave_at_once();
        source.request_stop();
    }

    void kill_started() const {
        LocalRuntime runtime(context_.paths);
        LocalEngine local(context_.paths);
        for (const auto& container : local.observe(stack_).containers)
            if (runs(container) &&
                std::find(services_.begin(), services_.end(), container.service) != services_.end())
                runtime->kill(container.id);
    }

    const Context& context_;
    const Stack& stack_;
    const Request& request_;
    const AttachOptions& options_;
    const sys::SignalWatch& signals_;
    Strings services_;
    int interrupts_ = 0;
};

/// `up` in the foreground: shows what the containers print until they have ended or a person ends
/// it.
class Attached {
  public:
    Attached(const Foreground& what, Watcher* watcher)
        : context_(what.context),
          stack_(what.stack),
          up_(what.up),
          options_(what.options),
          services_(options_.dependencies ? with_dependencies(stack_, up_.services) : up_.services),
          local_(context_.paths),
          networks_(context_.paths),
          runtime_(context_.paths, cgroups_, networks_),
          printer_(context_, options_.log),
          signals_(what.signals) {
        if (watcher != nullptr)
            watching_.emplace(*watcher);  // its thread leaves the signals to this one
    }

    void run() {
        constexpr int look_again_ms = 500;
        constexpr int soon_ms = 20;
        look();
        printer_.print_existing();
        int patience_ms = 0;
        while (!over_ || is_stopping()) {
            sys::wait_readable({signals_.fd().get(), growth_.fd().get()},
                               over_ ? soon_ms : patience_ms);
            growth_.drain();
            if (signals_.next())
                interrupt();
            look();
            patience_ms = printer_.print_new(look_again_ms);
        }
        if (stopping_.valid())
            stopping_.get();
        printer_.print_rest();
    }

  private:
    void look() {
        bool any_runs = false;
        std::vector<ObservedContainer> ended;
        for (const auto& container : containers_of(stack_, local_.observe(stack_), services_)) {
            const std::string path = runtime_.log_path(container.id);
            if (is_shown(container.service)) {
                printer_.add(container, path);
                growth_.add(path);
            }
            any_runs = any_runs || is_up(container) || comes_back(container);
            if (container.state == ContainerState::exited &&
                seen_exits_.emplace(container.id, container.finished).second)
                ended.push_back(container);
        }
        if (!ended.empty())
            printer_.print_rest();  // what one printed comes before its end
        for (const auto& container : ended)
            note_exit(container);
        // What is watched may be between two containers; a change may bring an ended one back.
        over_ = !any_runs && (!watching_ || interrupts_ > 0 || aborted_);
    }

    [[nodiscard]] bool is_stopping() const {
        return stopping_.valid() &&
               stopping_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    }

    [[nodiscard]] bool is_shown(const std::string& service) const {
        const auto holds = [&](const Strings& names) {
            return std::find(names.begin(), names.end(), service) != names.end();
        };
        const auto found = stack_.services.find(service);
        return found != stack_.services.end() && !holds(options_.no_attach) &&
               (options_.attach.empty() ? found->second.attach : holds(options_.attach));
    }

    void note_exit(const ObservedContainer& container) {
        const int code = container.exit.code.value_or(255);
        sys::write_err(name_in_stack(container) + " exited with code " + std::to_string(code) +
                       "\n");
        if (!options_.exit_code_from.empty() ? container.service == options_.exit_code_from
                                             : !aborted_ && wants_abort(code))
            context_.exit_code = code;
        if (wants_abort(code) && !aborted_) {
            aborted_ = true;
            stop(false);
        }
    }

    [[nodiscard]] bool wants_abort(int code) const {
        return options_.abort_on_exit || !options_.exit_code_from.empty() ||
               (options_.abort_on_failure && code != 0);
    }

    void interrupt() {
        ++interrupts_;
        if (interrupts_ == 1) {
            sys::write_err(stopping_text);
            context_.exit_code = given_up;
            stop(false);
        } else if (interrupts_ == 2) {
            stop(true);
        } else {
            leave_at_once();
        }
    }

    /// Asks the supervisor from a thread of its own, so that the output and a second Ctrl-C are
    /// still seen.
    void stop(bool at_once) {
        if (watching_)
            watching_->end();
        if (at_once) {
            for (const auto& container : containers_of(stack_, local_.observe(stack_), services_))
                if (is_up(container))
                    runtime_.kill(container.id);
            return;
        }
        if (stopping_.valid())
            return;  // on its way
        stopping_ = std::async(std::launch::async, [this] {
            Request request;
            request.verb = "stop";
            request.services = services_;
            request.timeout = seconds(up_.timeout);
            static_cast<void>(ask(context_, stack_, request, "Stopping"));
        });
    }

    Context& context_;
    const Stack& stack_;
    const UpOptions& up_;
    const AttachOptions& options_;
    const Strings services_;  // none: all
    LocalEngine local_;
    cgroup::Cgroups cgroups_;
    network::Networks networks_;
    runtime::Runtime runtime_;
    LogPrinter printer_;
    sys::GrowthWatch growth_;
    const sys::SignalWatch& signals_;
    std::optional<Watching> watching_;
    std::future<void> stopping_;                         // its end is awaited, whatever ends us
    std::set<std::pair<std::string, Time>> seen_exits_;  // of which run
    int interrupts_ = 0;
    bool aborted_ = false;
    bool over_ = false;
};

Request up_request(const Stack& stack, const UpOptions& up, const AttachOptions& options) {
    Request request;
    request.verb = "up";
    request.stack = stack;
    request.up = plan_options(up, stack);
    request.up.wait = options.wait;
    request.up.wait_timeout = seconds(options.wait_timeout);
    return request;
}

/// What docker compose refuses, in its words.
void check_combination(const UpOptions& up, const AttachOptions& options) {
    const bool stays = options.abort_on_exit || options.abort_on_failure ||
                       !options.exit_code_from.empty() || !options.attach.empty() ||
                       options.dependencies || options.watch;
    for (const auto& [leaves, name] :
         {std::pair{options.detach, "--detach"}, std::pair{options.wait, "--wait"}})
        if (leaves && stays)
            give_up(std::string(name) +
                    " cannot be combined with --abort-on-container-exit, "
                    "--abort-on-container-failure, --exit-code-from, --attach, "
                    "--attach-dependencies or --watch");
    if (options.abort_on_failure && (options.abort_on_exit || !options.exit_code_from.empty()))
        give_up(
            "--abort-on-container-failure cannot be combined with --abort-on-container-exit or "
            "--exit-code-from");
    if (options.watch && up.no_start)
        give_up("--watch watches for as long as the command runs: without --no-start");
    if (up.no_recreate && up.always_recreate_deps)
        give_up("--always-recreate-deps and --no-recreate are incompatible");
    if (up.no_recreate && up.renew_anon_volumes)
        give_up("--renew-anon-volumes and --no-recreate are incompatible");
}

/// Why there is no service.
std::string why_none(const Stack& stack) {
    return stack.disabled_services.empty()
               ? "the stack file has none"
               : "the profiles of all are inactive (name a service, or activate one with "
                 "--profile): " +
                     join(stack.disabled_services, ", ");
}

void run_up(Context& context, const UpOptions& up, AttachOptions options) {
    check_combination(up, options);
    options.log.filter.since = parse_time("0s").value();  // what was printed before is in `logs`
    const Stack stack = load_project(context, {.named_services = up.services});
    if (stack.services.empty() && !options.creates)
        give_up("no service selected: " + why_none(stack));
    if (!options.exit_code_from.empty())
        check_services({options.exit_code_from}, stack);
    check_services(options.attach, stack);
    check_services(options.no_attach, stack);
    const Request request = up_request(stack, up, options);
    if (const auto shown = only_up(context, stack, request.up)) {
        context.exit_code = *shown;
        return;
    }
    std::optional<Watcher> watcher;  // from before the builds: what changes meanwhile counts
    if (options.watch)
        watcher.emplace(context, stack, up.services, WatcherOptions{.quiet = options.quiet});
    if (options.detach || options.wait || up.no_start) {
        context.exit_code = ask(context, stack, request, "Running", options.quiet);
        return;
    }
    const sys::SignalWatch signals({SIGINT, SIGTERM});
    const Foreground foreground{context, stack, up, options, signals};
    context.exit_code = BringUp(foreground, request).run();
    if (context.exit_code == 0)
        Attached(foreground, watcher ? &*watcher : nullptr).run();
}

void add_quiet(CLI::App& app, Quiet& quiet) {
    app.add_flag("--quiet-pull", quiet.pull, "Do not show the layers of a pull");
    app.add_flag("--quiet-build", quiet.build, "Do not show the steps of a build");
    add_accepted_flag(app, "-y,--yes", "nothing is asked");
}

/// --menu asks for keys that are not there; --menu=false for what there is.
void refuse_menu(std::int64_t times) {
    if (times > 0)
        give_up("--menu: there is none; Ctrl-C stops, and twice kills; -d leaves at once");
}

}  // namespace

void add_up(CLI::App& app, Context& context) {
    const auto up = std::make_shared<UpOptions>();
    const auto options = std::make_shared<AttachOptions>();
    add_plan_options(app, *up);
    app.add_flag("-d,--detach", options->detach, "Return when everything has started");
    CLI::Option* const wait =
        app.add_flag("--wait",
                     options->wait,
                     "Return when everything is healthy, runs or has ended well; implies -d");
    app.add_option("--wait-timeout", options->wait_timeout, "Seconds to wait at most")->needs(wait);
    app.add_flag("--abort-on-container-exit", options->abort_on_exit, "Stop all when one ends");
    app.add_flag(
        "--abort-on-container-failure", options->abort_on_failure, "Stop all when one fails");
    app.add_option("--exit-code-from",
                   options->exit_code_from,
                   "End with the exit code of this service's container");
    app.add_option("--attach", options->attach, "Show only what this service prints (repeatable)")
        ->allow_extra_args(false);
    app.add_option(
           "--no-attach", options->no_attach, "Do not show what this service prints (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("--attach-dependencies",
                 options->dependencies,
                 "Show also what the services depend on, where some are named");
    app.add_flag("--timestamps", options->log.timestamps, "Show when each line was printed");
    app.add_flag("--no-log-prefix", options->log.no_prefix, "Leave out the container's name");
    app.add_flag("--no-color", options->log.no_colour, "No colours");
    app.add_flag_function("--menu", refuse_menu, "Refused: there is none (--menu=false is taken)");
    app.add_flag("-w,--watch",
                 options->watch,
                 "Carry changes of files into the containers, as `develop.watch` says");
    add_quiet(app, options->quiet);
    app.callback([&context, up, options] { run_up(context, *up, *options); });
}

void add_create(CLI::App& app, Context& context) {
    const auto up = std::make_shared<UpOptions>();
    const auto options = std::make_shared<AttachOptions>();
    add_plan_options(app, *up);
    add_quiet(app, options->quiet);
    app.callback([&context, up, options] {
        up->no_start = true;
        options->creates = true;
        run_up(context, *up, *options);
    });
}

}  // namespace stack::cli
