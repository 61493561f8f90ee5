#include "tests/supervise/household.h"

#include "base/random.h"
#include "sys/tree.h"
#include "tests/support/fake_world.h"

#include <array>

namespace stack::test {

Household::Household()
    : engine([this] { return clock.now(); }),
      directory_("/dev/shm/stack-supervise-test-" + random_hex(8)) {
    stack.name = "shop";
    auto& network = stack.networks["default"];
    network.key = "default";
    network.name = "shop_default";
    engine.world().images.push_back({.reference = "busybox", .id = "sha256:old"});
    replace_supervisor();
}

Household::~Household() {
    supervisor_.reset();
    sys::remove_tree(directory_);
}

Service& Household::add(const std::string& name) {
    auto& service = stack.services[name];
    service.name = name;
    service.image = "busybox";
    service.networks["default"];
    service.restart.condition = RestartCondition::always;
    return service;
}

void Household::replace_supervisor() {
    supervisor_ =
        std::make_unique<supervise::Supervisor>(engine, clock, paths_for(directory_), "shop");
    supervisor_->adopt();
    settle();
}

int Household::ask(Request request) {
    const auto exit = std::make_shared<int>(-1);  // the answer may come when nobody waits any more
    asked_ = supervisor_->ask(
        std::move(request),
        [this](const Event& event) { events.push_back(event); },
        [exit](int status) { *exit = status; });
    settle();
    return *exit;
}

int Household::up(PlanOptions options) {
    Request request;
    request.verb = "up";
    request.stack = stack;
    request.up = std::move(options);
    return ask(std::move(request));
}

int Household::down() {
    Request request;
    request.verb = "down";
    request.stack = stack;
    return ask(std::move(request));
}

void Household::leave() {
    supervisor_->withdraw(asked_);
    settle();
}

void Household::settle() {
    while (clock.run_posted() || engine.run_pending() != 0) {
    }
}

void Household::pass(Duration time) {
    const supervise::Moment until = supervise::after(clock.moment(), time);
    settle();
    while (clock.advance(until))
        settle();
}

ObservedContainer* Household::find(const std::string& container) {
    return find_container(engine.world(), container);
}

std::string Household::state(const std::string& container) {
    constexpr std::array<const char*, 4> names{"created", "running", "paused", "exited"};
    const auto* found = find(container);
    return found == nullptr ? "absent" : names.at(static_cast<std::size_t>(found->state));
}

}  // namespace stack::test
