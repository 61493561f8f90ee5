// wait: until containers have ended, and how they did.

#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/local_runtime.h"
#include "cli/project.h"
#include "cli/target.h"
#include "sys/terminal.h"

namespace stack::cli {
namespace {

/// The ends of several containers, in the order in which they come.
class Ends {
  public:
    struct End {
        std::size_t place = 0;  // of the container among them
        int code = 0;
    };

    Ends(const Context& context, std::vector<ObservedContainer> containers)
        : runtime_(context.paths), containers_(std::move(containers)) {
        for (std::size_t i = 0; i < containers_.size(); ++i)
            if (!watch(i))
                ended_.push_back(i);
    }

    /// Waits for the next one; nullopt when all have ended.
    std::optional<End> next() {
        while (ended_.empty() && !living_.empty())
            await_one();
        if (ended_.empty())
            return std::nullopt;
        const std::size_t place = ended_.front();
        ended_.erase(ended_.begin());
        return End{place, code_of(runtime_.get().observe(containers_[place].id))};
    }

  private:
    /// Docker: of one that never ran, 0.
    static int code_of(const std::optional<ObservedContainer>& container) {
        constexpr int unknown = 255;
        if (!container)
            return unknown;
        const bool never_ran =
            container->state == ContainerState::created && container->started == Time{};
        return never_ran ? 0 : container->exit.code.value_or(unknown);
    }

    /// False where it does not run.
    bool watch(std::size_t place) {
        auto living = runtime_.get().watch(containers_[place].id);
        if (!living)
            return false;
        living_.push_back(std::move(*living));
        places_.push_back(place);
        return true;
    }

    void await_one() {
        const auto first = static_cast<std::ptrdiff_t>(sys::wait_for_first(living_));
        const std::size_t place = places_[static_cast<std::size_t>(first)];
        living_.erase(living_.begin() + first);
        places_.erase(places_.begin() + first);
        if (!goes_on(place) || !watch(place))
            ended_.push_back(place);
    }

    /// Its shim has ended; it may not have.
    [[nodiscard]] bool goes_on(std::size_t place) const {
        const auto now = runtime_.get().observe(containers_[place].id);
        return now && is_up(*now) && now->started == containers_[place].started;
    }

    LocalRuntime runtime_;
    std::vector<ObservedContainer> containers_;
    std::vector<sys::Fd> living_;
    std::vector<std::size_t> places_;  // of those
    std::vector<std::size_t> ended_;   // not told of yet
};

void bring_down(Context& context) {
    const auto [stack, by_name] = find_existing(context);
    Request request;
    request.verb = "down";
    request.stack = stack;
    request.down.remove_orphans = by_name;
    static_cast<void>(ask(context, stack, request, "Running"));
}

/// The status is that of the container that ends last, or first where that ends the project.
void wait_for_services(Context& context, const Targets& targets, bool down) {
    const auto containers = find_targets(context, targets);
    if (containers.empty())
        give_up("no containers for project \"" + find_project(context, targets.names).name + "\"");
    Ends ends(context, containers);
    while (const auto end = ends.next()) {
        sys::write_out("container \"" + containers[end->place].id + "\" exited with status code " +
                       std::to_string(end->code) + "\n");
        context.exit_code = end->code;
        if (down)
            break;
    }
    if (down)
        bring_down(context);
}

/// Their codes in the order of their names, each as soon as those before it are known.
void wait_for_containers(Context& context, const Targets& targets) {
    const Found found = find_present(context, targets);
    std::vector<std::optional<int>> codes(found.containers.size());
    std::size_t told = 0;
    Ends ends(context, found.containers);
    while (const auto end = ends.next()) {
        codes[end->place] = end->code;
        for (; told < codes.size() && codes[told]; ++told)
            sys::write_out(std::to_string(*codes[told]) + "\n");
    }
    context.exit_code = found.all ? 0 : 1;
}

}  // namespace

void add_wait(CLI::App& app, Context& context) {
    const auto targets = std::make_shared<Targets>();
    const auto down = std::make_shared<bool>(false);
    declare_targets(app, *targets);
    app.add_flag("--down-project", *down, "Take the stack down when the first one has ended");
    app.callback([&context, targets, down] { wait_for_services(context, *targets, *down); });
}

void add_container_wait(CLI::App& app, Context& context) {
    const auto targets = std::make_shared<Targets>();
    targets->naming = Naming::container;
    declare_targets(app, *targets);
    app.callback([&context, targets] { wait_for_containers(context, *targets); });
}

}  // namespace stack::cli
