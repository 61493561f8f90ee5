#include "cli/dry_run.h"

#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/local.h"
#include "sys/terminal.h"

#include <map>

namespace stack::cli {
namespace {

constexpr const char* by_its_program = "what a program does is not known before it runs";
constexpr const char* by_its_input = "what is in its input is not known before it is read";

/// Commands that change something and cannot say beforehand what.
const std::map<std::string, const char*>& without_dry_run() {
    static const std::map<std::string, const char*> commands{
        {"attach", by_its_program},
        {"exec", by_its_program},
        {"cp", by_its_input},
        {"login", "only the registry knows whether a password is right"},
        {"logout", "it forgets the password that `login` was given"},
        {"enable", "`stack enable --print` shows the unit"},
        {"disable", "it takes back what `stack enable` did"},
        {"resume", "`stack plan` shows what a stack lacks"},
        {"container run", by_its_program},
        {"container create", "`stack container run --help` says what the options make"},
        {"container exec", by_its_program},
        {"container attach", by_its_program},
        {"container cp", by_its_input},
        {"commit", "`stack container diff` shows what has changed"},
        {"container commit", "`stack container diff` shows what has changed"},
        {"container update", "it changes what its options name and nothing else"},
        {"image build", "`--check` looks at the Dockerfile and builds nothing"},
        {"image import", by_its_input},
        {"image load", by_its_input},
        {"image prune", "`stack system df` shows what is not needed"},
        {"builder prune", "`stack builder df` shows what is kept"},
        {"system prune", "`stack system df` shows what is not needed"},
    };
    return commands;
}

}  // namespace

void refuse_dry_run(const CLI::App& app, const Context& context) {
    if (!context.globals.dry_run)
        return;
    std::string name = app.get_name();
    for (const auto* chosen = &app; !chosen->get_subcommands().empty();) {
        chosen = chosen->get_subcommands().front();
        name += " " + chosen->get_name();
    }
    const auto found = without_dry_run().find(name);
    if (found != without_dry_run().end())
        give_up("`stack " + name + "` has no --dry-run: " + found->second);
}

std::optional<int> only_actions(const Context& context, const std::vector<Action>& actions) {
    Plan plan;
    for (const auto& action : actions) {
        const auto [kind, name] = split_once(object(action), ' ');
        plan.actions.push_back({action, to_lower(kind) + "/" + name, "asked for"});
    }
    return only_plan(context, plan);
}

std::optional<int> only_up(const Context& context, const Stack& stack, const PlanOptions& options) {
    if (!context.globals.dry_run)
        return std::nullopt;
    LocalEngine local(context.paths);
    const Observed observed = local.observe(stack, {.builds = true, .files = true});
    const Plan plan = plan_up(stack, observed, options);
    return only_plan(context, as_supervised(context, stack, plan));
}

std::optional<int> only_sentences(const Context& context, const Strings& sentences) {
    if (!context.globals.dry_run)
        return std::nullopt;
    constexpr int changes = 2;
    for (const auto& sentence : sentences)
        sys::write_out(sentence + "\n");
    if (sentences.empty())
        sys::write_out("nothing to do\n");
    return sentences.empty() ? 0 : changes;
}

}  // namespace stack::cli
