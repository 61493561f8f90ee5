#include "cli/local.h"

#include "cli/options.h"
#include "engine/engine.h"
#include "supervise/desired.h"
#include "supervise/executor.h"
#include "sys/file.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <boost/asio/io_context.hpp>

namespace stack::cli {

struct LocalEngine::Loop {
    boost::asio::io_context io;
};

LocalEngine::LocalEngine(const Paths& paths) : paths_(paths), loop_(std::make_unique<Loop>()) {
    require_root();  // what there is to look at is root's, too
    engine_ = engine::make_engine(loop_->io, paths);
}

LocalEngine::~LocalEngine() = default;

Observed LocalEngine::observe(const Stack& stack, const ObserveOptions& options) {
    Observed observed = engine_->observe(stack, options);
    note_restarting(paths_, observed.containers);
    return observed;
}

Outcome LocalEngine::perform(const std::vector<Action>& actions, const EventSink& events) {
    for (const auto& action : actions) {
        bool over = false;
        Outcome result;
        engine_->perform(action, events, [&](Outcome outcome) {
            over = true;
            result = std::move(outcome);
        });
        loop_->io.restart();
        while (!over)
            loop_->io.run_one();
        if (result)
            return result;
    }
    return std::nullopt;
}

bool LocalEngine::carry_out(Plan plan, const EventSink& events, int parallel) {
    std::optional<bool> succeeded;
    const auto executor = std::make_shared<supervise::Executor>(
        std::move(plan),
        [this](const Action& action, const EventSink& sink, Done done) {
            engine_->perform(action, sink, std::move(done));
        },
        events,
        [&](bool all) { succeeded = all; },
        parallel);
    executor->start();
    loop_->io.restart();
    while (!succeeded)
        loop_->io.run_one();
    return *succeeded;
}

ProbeResult LocalEngine::run_hook(const std::string& container, const Hook& hook) {
    std::optional<ProbeResult> result;
    engine_->run_hook(container, hook, [&](ProbeResult ended) { result = std::move(ended); });
    loop_->io.restart();
    while (!result)
        loop_->io.run_one();
    return *result;
}

namespace {

/// Nobody waits to start anything where there is no supervisor.
std::map<std::string, supervise::RestartState> restarts_of(const Paths& paths,
                                                           const std::string& project) {
    if (!sys::exists(supervise::project_run_directory(paths, project) + "/supervisor.pid"))
        return {};
    return supervise::load_restarts(paths, project);
}

void require_service(const Stack& stack, const Observed& observed, const std::string& service) {
    if (stack.services.contains(service))
        return;
    std::set<std::string> known;
    for (const auto& [name, value] : stack.services)
        known.insert(name);
    for (const auto& container : observed.containers) {
        if (container.service == service)
            return;
        known.insert(container.service);
    }
    refuse_service(service, {known.begin(), known.end()});
}

}  // namespace

void note_restarting(const Paths& paths, std::vector<ObservedContainer>& containers) {
    std::map<std::string, std::map<std::string, supervise::RestartState>> by_project;
    for (auto& container : containers) {
        if (container.state != ContainerState::exited || container.project.empty())
            continue;
        auto known = by_project.find(container.project);
        if (known == by_project.end())
            known =
                by_project.emplace(container.project, restarts_of(paths, container.project)).first;
        const auto state = known->second.find(container.id);
        // A stop by a person, not for its health, is before its supervisor's next look.
        container.restarting = state != known->second.end() && state->second.next &&
                               (!container.stopped_by_user || state->second.unhealthy);
    }
}

std::vector<ObservedContainer> containers_of(const Stack& stack,
                                             const Observed& observed,
                                             const Strings& services,
                                             bool with_oneoff) {
    for (const auto& service : services)
        require_service(stack, observed, service);
    std::vector<ObservedContainer> list;
    for (const auto& container : observed.containers) {
        const bool named =
            services.empty() ||
            std::find(services.begin(), services.end(), container.service) != services.end();
        if (named && (with_oneoff || !container.oneoff))
            list.push_back(container);
    }
    std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
        return std::tie(a.service, a.number, a.name) < std::tie(b.service, b.number, b.name);
    });
    return list;
}

ObservedContainer running_container(const Stack& stack,
                                    const Observed& observed,
                                    const std::string& service,
                                    int index) {
    for (auto& container : containers_of(stack, observed, {service}))
        if (container.state == ContainerState::running && (index == 0 || container.number == index))
            return container;
    give_up("service \"" + service + "\" is not running" +
            (index == 0 ? "" : " container #" + std::to_string(index)) +
            ": see `stack ps -a`, or `stack up -d " + service + "`");
}

}  // namespace stack::cli
