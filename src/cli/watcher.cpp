#include "cli/watcher.h"

#include <stack/error.h>

#include "base/text.h"
#include "cli/sync.h"
#include "engine/build/inputs.h"
#include "engine/in_use.h"
#include "sys/file.h"
#include "sys/signals.h"
#include "sys/terminal.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace stack::cli {
namespace {

Context with_lines(Context context) {
    if (context.globals.progress == "auto" || context.globals.progress == "tty")
        context.globals.progress = "plain";
    return context;
}

bool is_chosen(const Strings& services, const std::string& name) {
    return services.empty() || std::find(services.begin(), services.end(), name) != services.end();
}

void say(const std::string& sentence) {
    sys::write_err(sentence + "\n");
}

std::string counted(std::size_t changes) {
    return std::to_string(changes) + (changes == 1 ? " change" : " changes");
}

}  // namespace

Watcher::Watcher(const Context& context,
                 const Stack& stack,
                 const Strings& services,
                 WatcherOptions options)
    : context_(with_lines(context)),
      stack_(stack),
      options_(options),
      local_(context.paths),
      runtime_(context.paths) {
    for (const auto& [name, service] : stack.services)
        if (is_chosen(services, name))
            add_rules(service);
    if (rules_.empty())
        give_up("nothing to watch: no `develop: {watch: …}` with a path that is not mounted in " +
                (services.empty() ? "any service" : "the services " + join(services, ", ")));
    state_ = look();
}

void Watcher::add_rules(const Service& service) {
    const bool has_context = service.build && sys::is_directory(service.build->context);
    for (const auto& rule : service.watch) {
        if (rule.action == "rebuild" && !service.build)
            give_up("service " + service.name + " is to be rebuilt when " + rule.path +
                    " changes, and has no `build`: give it one, or use another action");
        if (rule.action.starts_with("sync") && is_mounted(service, rule.path))
            warn("not watching " + rule.path + ": service " + service.name +
                 " sees it by a bind mount");
        else
            rules_.emplace_back(
                service,
                rule,
                has_context ? build::read_ignore_rules(*service.build) : build::IgnoreRules());
    }
}

sys::TreeState Watcher::look() {
    watch_.drain();
    const auto skips = [this](const std::string& path) {
        return std::none_of(rules_.begin(), rules_.end(), [&](const WatchedRule& rule) {
            return rule.wants(path) || rule.may_want_below(path);
        });
    };
    std::set<std::string> roots;
    for (const auto& rule : rules_)
        roots.insert(rule.rule().path);
    sys::TreeState state;
    for (const auto& root : roots)
        watch_.look(root, skips, state);
    return state;
}

void Watcher::run(const sys::Fd& end) {
    sync_initially();
    say("Watch enabled");
    while (settle(end)) {
        try {
            take_changes();
        } catch (const Error& error) {
            say(std::string("stack: watch: ") + error.what());
        }
    }
}

/// Waits for a change, and until nothing has changed for a moment: an editor's save, a checkout or
/// a build is many changes. What was missed is tried again without one. False at the end.
bool Watcher::settle(const sys::Fd& end) const {
    using Clock = std::chrono::steady_clock;
    constexpr int quiet_ms = 100;
    constexpr int retry_ms = 1000;
    constexpr std::chrono::seconds longest{2};
    sys::wait_readable({end.get(), watch_.fd().get()}, missed_.empty() ? -1 : retry_ms);
    const auto begin = Clock::now();
    while (!sys::is_readable(end) && sys::is_readable(watch_.fd()) &&
           Clock::now() - begin < longest) {
        watch_.drain();
        sys::wait_readable({end.get(), watch_.fd().get()}, quiet_ms);
    }
    return !sys::is_readable(end);
}

void Watcher::take_changes() {
    sys::TreeState now = look();
    const Strings changed = sys::changed_paths(state_, now);
    state_ = std::move(now);
    auto wanted = reactions(rules_, changed);
    for (const auto& [service, missed] : missed_)
        wanted[service] = merged(missed.reaction, wanted[service]);
    for (const auto& [service, reaction] : wanted)
        react(service, reaction);
}

/// Says what fails, once.
void Watcher::react(const std::string& service, const Reaction& reaction) {
    try {
        carry_out(service, reaction);
        missed_.erase(service);
    } catch (const Error& error) {
        Missed& missed = missed_[service];
        if (missed.why != error.what())
            say("stack: service " + service + ": " + error.what());
        missed = {reaction, error.what()};
    }
}

/// What is there already comes into the containers, too, where a rule asks for it.
void Watcher::sync_initially() {
    std::vector<WatchedRule> initial;
    for (const auto& rule : rules_)
        if (rule.rule().initial_sync)
            initial.push_back(rule);
    Strings all;
    for (const auto& [path, state] : state_)
        all.push_back(path);
    for (const auto& [service, reaction] : reactions(initial, all))
        react(service, {.sync = reaction.sync});
}

void Watcher::carry_out(const std::string& service, const Reaction& reaction) {
    if (reaction.rebuild) {
        rebuild(service);
        return;
    }
    const auto all = containers(service);
    if (!reaction.sync.empty())
        say("Syncing service \"" + service + "\" after " + counted(reaction.sync.size()));
    std::exception_ptr failure;  // one replica's keeps nothing from the others
    for (const auto& container : all) {
        try {
            if (!reaction.sync.empty())
                sync_paths(runtime_.get(), container.id, reaction.sync);
            for (const auto& hook : reaction.exec)
                run_hook(container, hook);
        } catch (const Error&) {
            failure = std::current_exception();
        }
    }
    if (failure)
        std::rethrow_exception(failure);
    if (reaction.restart)
        restart(service);
}

std::vector<ObservedContainer> Watcher::containers(const std::string& service) {
    return containers_of(stack_, local_.observe(stack_), {service});
}

void Watcher::run_hook(const ObservedContainer& container, const Hook& hook) {
    if (container.state != ContainerState::running)
        return;
    const ProbeResult result = local_.run_hook(container.id, hook);
    if (!result.output.empty())
        sys::write_err(result.output);
    if (result.exit_code != 0)
        say("stack: container " + container.name + ": " + join(hook.command, " ") +
            " exited with status " + std::to_string(result.exit_code));
}

void Watcher::restart(const std::string& service) {
    Request request;
    request.verb = "restart";
    request.services = {service};
    static_cast<void>(ask(context_, stack_, request, "Restarting"));
}

void Watcher::rebuild(const std::string& service) {
    say("Rebuilding service \"" + service + "\" after changes");
    std::set<std::string> before;
    const auto replicas = containers(service);
    for (const auto& container : replicas)
        before.insert(container.image_id);
    Request request;
    request.verb = "up";
    request.stack = stack_;
    request.up.services = {service};
    request.up.no_deps = true;
    request.up.build = true;
    if (!replicas.empty())  // as many as there are, whoever asked for them
        request.up.scale[service] = static_cast<int>(replicas.size());
    const int status = ask(context_, stack_, request, "Rebuilding", options_.quiet);
    if (status == 0 && options_.prune)
        remove_images(before);
}

/// Those of them that have no name any more and nobody uses.
void Watcher::remove_images(const std::set<std::string>& ids) {
    image::Store store(context_.paths);
    static_cast<void>(store.prune(
        [&](const image::Image& image) {
            return image.references.empty() && ids.contains(image.id);
        },
        [this] { return engine::find_in_use(context_.paths); }));
}

}  // namespace stack::cli
