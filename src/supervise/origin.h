#pragma once

// Stack files of one name in different directories: the name is the project, whose containers and
// volumes the one would take from the other.

#include <stack/plan.h>

namespace stack::supervise {

/// `plan`, of a command on `stack`, where `before` was brought up under its name last. Where that
/// came from another directory, in which its file still is, the plan says so. It is refused where
/// both have the name by chance, from directories that are called the same, and nobody has chosen
/// it for the command (`named_by_hand`: by -p or COMPOSE_PROJECT_NAME). A `name:` is no choice
/// between them, where both files say the same.
[[nodiscard]] Plan with_origin(Plan plan,
                               const Stack& before,
                               const Stack& stack,
                               bool named_by_hand);

}  // namespace stack::supervise
