#include "cli/single.h"

#include <stack/error.h>
#include <stack/supervise.h>

#include "cli/local_runtime.h"
#include "supervise/desired.h"
#include "sys/file.h"

namespace stack::cli {
namespace {

std::string run_directory(const Paths& paths) {
    return paths.run + "/projects/" + single_containers;
}

bool has_supervisor(const Paths& paths) {
    return sys::exists(run_directory(paths) + "/supervisor.pid");
}

void take_down(const Context& context, LocalEngine& local, const Observed& observed) {
    const auto nobody = [](const Event&) {};
    if (has_supervisor(context.paths)) {
        Request request;
        request.verb = "down";
        static_cast<void>(stack::request(context.paths, single_containers, request, nobody));
        return;
    }
    static_cast<void>(local.carry_out(plan_down(single_project(), observed, {}), nobody));
    publish_single_names(local);
    static_cast<void>(sys::try_remove_directory(run_directory(context.paths)));
}

}  // namespace

Stack single_project() {
    Stack stack;
    stack.name = single_containers;
    return stack;
}

bool needs_supervisor(const Service& service, const ImageConfig& image) {
    if (service.restart.condition != RestartCondition::no)
        return true;
    const auto& check = service.healthcheck;
    const auto is_none = [](const Healthcheck& one) {
        return one.disabled || (!one.test.empty() && one.test.front() == "NONE");
    };
    if (check && (is_none(*check) || !check->test.empty()))
        return !is_none(*check);
    return image.healthcheck && !is_none(*image.healthcheck);
}

void ensure_keeper(const Context& context, const ObservedContainer& container) {
    const auto record = LocalRuntime(context.paths).get().find(container.id);
    if (!record || (!record->spec.auto_remove &&
                    !needs_supervisor(record->spec.service, record->image.config)))
        return;
    Request request;
    request.verb = "ping";
    static_cast<void>(
        stack::request(context.paths, container.project, request, [](const Event&) {}));
}

sys::Lock use_single_project(const Paths& paths) {
    return sys::Lock::acquire_shared(supervise::single_use_lock(paths));
}

void publish_single_names(LocalEngine& local) {
    const Stack stack = single_project();
    // Another command may have seen more, and said so before us: then we say it again. Who changes
    // something after that says it himself.
    constexpr int most_times = 5;
    Observed said;
    for (int times = 0; times < most_times; ++times) {
        said = local.observe(stack);
        local.engine().publish_names(stack, said);
        if (local.observe(stack).containers == said.containers)
            return;
    }
}

void remove_single(LocalEngine& local, const Context& context, const ObservedContainer& container) {
    const auto outcome =
        local.perform({RemoveContainer{container.id, container.name, true}}, [](const Event&) {});
    if (outcome && LocalRuntime(context.paths).get().find(container.id))
        throw Error(*outcome);
}

void leave_single_project(const Context& context) {
    // Somebody is about to use it, or to leave it.
    const auto lock = sys::Lock::try_acquire(supervise::single_use_lock(context.paths));
    if (!lock)
        return;
    LocalEngine local(context.paths);
    const Observed observed = local.observe(single_project());
    if (observed.containers.empty() &&
        (!observed.networks.empty() || has_supervisor(context.paths)))
        take_down(context, local, observed);
}

void sweep_single(const Context& context) {
    if (has_supervisor(context.paths))
        return;  // which does it
    LocalEngine local(context.paths);
    for (const auto& container : local.observe(single_project()).containers)
        if (container.auto_remove && container.state == ContainerState::exited)
            remove_single(local, context, container);
}

}  // namespace stack::cli
