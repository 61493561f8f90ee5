#include "tests/support/fake_engine.h"

#include "base/text.h"
#include "model/images.h"
#include "tests/support/fake_world.h"

#include <algorithm>
#include <utility>

namespace stack::test {
namespace {

template <class Map>
bool names_one(const Map& elements, const std::string& name) {
    return std::any_of(elements.begin(), elements.end(), [&](const auto& element) {
        return element.second.name == name;
    });
}

}  // namespace

FakeEngine::FakeEngine(std::function<Time()> clock) : clock_(std::move(clock)) {
    if (!clock_)
        clock_ = [] { return Time{}; };
}

std::size_t FakeEngine::run_pending() {
    std::size_t made = 0;
    const auto is_free = [this](const Pending& one) { return !held_.contains(one.verb); };
    for (;;) {
        const auto next = std::find_if(pending_.begin(), pending_.end(), is_free);
        if (next == pending_.end())
            return made;
        const auto call = std::move(next->call);
        pending_.erase(next);
        call();
        ++made;
    }
}

void FakeEngine::wake_later() {
    pending_.push_back({"wake", [this] { wake_(); }});
}

void FakeEngine::fail_next(const std::string& verb, const std::string& message) {
    failures_[verb].push_back(message);
}

void FakeEngine::crash(const std::string& container, int status) {
    auto* found = find_container(world_, container);
    if (found == nullptr)
        throw Error("there is no container " + container + " to crash");
    constexpr int by_signal = 128;
    found->state = ContainerState::exited;
    found->exit = {status, status > by_signal ? status - by_signal : 0, false};
    found->finished = clock_();
    found->health = Health::none;
    found->pid = 0;
    found->addresses.clear();
    wake_later();
}

void FakeEngine::become(const std::string& container, Health health) {
    auto* found = find_container(world_, container);
    if (found == nullptr)
        throw Error("there is no container " + container + " to be healthy or not");
    found->health = health;
    wake_later();
}

void FakeEngine::answer_probes(const std::string& container, ProbeResult result) {
    probe_results_[container] = std::move(result);
}

void FakeEngine::answer_hook(const Strings& command, ProbeResult result) {
    hook_results_[command] = std::move(result);
}

void FakeEngine::change_sources(const std::string& service, const std::string& source_digest) {
    sources_[service] = source_digest;
}

int FakeEngine::calls(const std::string& verb) const {
    const auto found = calls_.find(verb);
    return found == calls_.end() ? 0 : found->second;
}

ObservedContainer* FakeEngine::find_id(const std::string& id) {
    const auto found = std::find_if(world_.containers.begin(),
                                    world_.containers.end(),
                                    [&](const auto& container) { return container.id == id; });
    return found == world_.containers.end() ? nullptr : &*found;
}

Observed FakeEngine::observe(const Stack& desired, const ObserveOptions& options) {
    ++calls_["observe"];
    Observed seen;
    for (const auto& container : world_.containers)
        if (container.project == desired.name)
            seen.containers.push_back(container);
    for (const auto& network : world_.networks)
        if (network.project == desired.name || names_one(desired.networks, network.name))
            seen.networks.push_back(network);
    for (const auto& volume : world_.volumes)
        if (volume.project == desired.name || names_one(desired.volumes, volume.name))
            seen.volumes.push_back(volume);
    const auto references = model::images_of(desired);
    for (const auto& image : world_.images)
        if (references.contains(image.reference))
            seen.images.push_back(image);
    if (options.builds)
        for (const auto& [name, service] : desired.services)
            if (const auto source = sources_.find(name); service.build && source != sources_.end())
                seen.builds.push_back({name, source->second});
    return seen;
}

Outcome FakeEngine::carry_out(const Action& action) {
    if (std::holds_alternative<AwaitHealthy>(action) ||
        std::holds_alternative<AwaitCompleted>(action))
        return Error("awaiting is the supervisor's work, not the engine's");
    if (auto& failures = failures_[verb(action)]; !failures.empty()) {
        Error failure(std::make_error_code(std::errc::io_error), failures.front());
        failures.pop_front();
        return failure;
    }
    try {
        world_ = apply(world_, action, clock_());  // a copy, for where it throws
        if (const auto* pull = std::get_if<PullImage>(&action); pull && !brought_platform_.empty())
            for (auto& image : world_.images)
                if (image.reference == pull->reference)
                    image.platform = brought_platform_;
    } catch (const Error& refused) {
        return refused;
    }
    return std::nullopt;
}

void FakeEngine::perform(const Action& action, const EventSink& /*events*/, Done done) {
    const std::string what = verb(action);
    ++calls_[what];
    history_.push_back(what + " " + object(action));
    pending_.push_back({what, [this, action, done = std::move(done)] {
                            const bool ends = std::holds_alternative<StopContainer>(action) ||
                                              std::holds_alternative<KillContainer>(action);
                            const Outcome outcome = carry_out(action);
                            if (ends)
                                wake_later();
                            done(outcome);
                        }});
}

Strings FakeEngine::port_conflicts(const Stack& /*desired*/, const Observed& /*observed*/) {
    return port_conflicts_;
}

void FakeEngine::probe(const std::string& container_id,
                       const Healthcheck& /*check*/,
                       ProbeDone done) {
    ++calls_["probe"];
    const auto* container = find_id(container_id);
    if (container == nullptr || container->state != ContainerState::running)
        throw Error("container " + container_id + " does not run: nothing to probe");
    pending_.push_back({"probe", [this, name = container->name, done = std::move(done)] {
                            const auto result = probe_results_.find(name);
                            done(result == probe_results_.end() ? ProbeResult{} : result->second);
                        }});
}

void FakeEngine::run_hook(const std::string& name, const Hook& hook, ProbeDone done) {
    const auto* container = find_container(world_, name);
    if (container == nullptr || container->state != ContainerState::running)
        throw Error(std::make_error_code(std::errc::no_such_process),
                    "container " + name + " does not run");
    history_.push_back("hook " + name + ": " + join(hook.command, " "));
    pending_.push_back({"hook", [this, command = hook.command, done = std::move(done)] {
                            const auto result = hook_results_.find(command);
                            done(result == hook_results_.end() ? ProbeResult{} : result->second);
                        }});
}

void FakeEngine::set_health(const std::string& container_id,
                            Health health,
                            int /*streak*/,
                            const HealthResult& latest) {
    ++calls_["set_health"];
    latest_check_ = latest;
    if (auto* container = find_id(container_id))
        container->health = health;
}

void FakeEngine::count_restart(const std::string& container_id) {
    ++calls_["count_restart"];
    if (auto* container = find_id(container_id))
        ++container->restarts;
}

std::optional<Healthcheck> FakeEngine::healthcheck(const std::string& container_id) {
    const auto* container = find_id(container_id);
    if (container == nullptr)
        return std::nullopt;
    const auto& check = container->service_config->healthcheck;
    const bool is_set = check && !check->disabled && !check->test.empty();
    return is_set && check->test.front() != "NONE" ? check : std::nullopt;
}

void FakeEngine::publish_names(const Stack& /*desired*/, const Observed& observed) {
    ++calls_["publish_names"];
    published_.clear();
    for (const auto& container : observed.containers)
        if (container.state == ContainerState::running)
            published_.push_back(container.name);
    std::sort(published_.begin(), published_.end());
}

}  // namespace stack::test
