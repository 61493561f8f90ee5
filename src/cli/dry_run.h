#pragma once

// --dry-run: what a command would do is said, or that it cannot be.

#include <stack/plan.h>

#include "cli/context.h"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace stack::cli {

/// Gives up where --dry-run was given and the command under `app` that was chosen would act all the
/// same.
void refuse_dry_run(const CLI::App& app, const Context& context);

/// With --dry-run: prints these actions as a plan and returns how the command ends.
[[nodiscard]] std::optional<int> only_actions(const Context& context,
                                              const std::vector<Action>& actions);

/// With --dry-run: prints the plan of that `up` and returns how the command ends.
[[nodiscard]] std::optional<int> only_up(const Context& context,
                                         const Stack& stack,
                                         const PlanOptions& options);

/// With --dry-run: prints the sentences, each a thing that would be done, and returns how the
/// command ends.
[[nodiscard]] std::optional<int> only_sentences(const Context& context, const Strings& sentences);

}  // namespace stack::cli
