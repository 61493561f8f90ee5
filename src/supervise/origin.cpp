#include "supervise/origin.h"

#include "sys/file.h"

namespace stack::supervise {
namespace {

bool is_from_elsewhere(const Stack& before, const Stack& stack) {
    return !before.files.empty() && !before.working_dir.empty() && !stack.working_dir.empty() &&
           before.working_dir != stack.working_dir && sys::exists(before.files.front()) &&
           !sys::is_same_file(before.working_dir, stack.working_dir) && !stack.files.empty() &&
           !sys::is_same_file(before.files.front(), stack.files.front());
}

std::string base_name(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

Plan with_origin(Plan plan, const Stack& before, const Stack& stack, bool named_by_hand) {
    if (!is_from_elsewhere(before, stack))
        return plan;
    const std::string fact =
        "stack " + stack.name + " was brought up from " + before.files.front() + ", ";
    const bool by_chance =
        !named_by_hand && base_name(before.working_dir) == base_name(stack.working_dir);
    if (!by_chance) {
        if (!plan.actions.empty())
            plan.warnings.push_back(fact + "in another directory: its containers and volumes are " +
                                    stack.files.front() + "'s now");
        return plan;
    }
    plan.actions.clear();
    plan.errors.push_back(fact +
                          "and would lose its containers and volumes to another file: give " +
                          stack.files.front() + " a name of its own (`name:` in it, or -p NAME), " +
                          "or say that this one is meant (-p " + stack.name + ")");
    return plan;
}

}  // namespace stack::supervise
