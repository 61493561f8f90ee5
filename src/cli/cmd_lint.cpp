// lint.

#include <stack/lint.h>

#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "cli/style.h"
#include "sys/terminal.h"

#include <algorithm>

namespace stack::cli {
namespace {

struct LintOptions {
    Strings only;
    Strings without;
    bool list_rules = false;
};

std::string rules_text() {
    std::string text;
    for (const auto& rule : lint_rules())
        text += std::string(rule.name) + "\n    finds: " + rule.summary +
                "\n    why: " + rule.reason + "\n";
    return text +
           "\nSwitch one off with --without NAME, or with `x-stack: {lint: {NAME: false}}` in " +
           "the file or in a service.\n";
}

bool is_rule(const std::string& name) {
    return std::any_of(lint_rules().begin(), lint_rules().end(), [&](const LintRule& rule) {
        return name == rule.name;
    });
}

void run_lint(Context& context, const LintOptions& options) {
    if (options.list_rules) {
        sys::write_out(rules_text());
        return;
    }
    for (const auto* names : {&options.only, &options.without})
        for (const auto& name : *names)
            if (!is_rule(name))
                give_up("there is no rule " + name + "; `stack lint --rules` lists them");
    LoadAdjustments adjust;
    adjust.all_profiles = true;
    adjust.lint = true;
    adjust.lint_only = options.only;
    adjust.lint_without = options.without;
    const LoadResult result = load_files(context, adjust);
    const bool found = std::any_of(
        result.diagnostics.begin(), result.diagnostics.end(), [](const Diagnostic& diagnostic) {
            return is_rule(diagnostic.code);
        });
    context.exit_code = found ? 1 : 0;
}

}  // namespace

void add_lint(CLI::App& app, Context& context) {
    const auto options = std::make_shared<LintOptions>();
    app.add_option("--only", options->only, "Only these rules")->delimiter(',');
    app.add_option("--without", options->without, "Not these rules")->delimiter(',');
    app.add_flag("--rules", options->list_rules, "Explain the rules");
    app.footer("Ends with 1 where a rule found something.");
    app.callback([&context, options] { run_lint(context, *options); });
}

}  // namespace stack::cli
