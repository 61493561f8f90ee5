#include "plan/values.h"

namespace stack::plan {
namespace {

void refuse_missing(const char* kind,
                    const std::map<std::string, FileSource>& sources,
                    const std::string& container,
                    Strings& errors) {
    for (const auto& [key, source] : sources)
        if (!source.environment.empty() && !source.content)
            errors.push_back("container " + container + " needs the " + kind + " " + key +
                             ", whose variable " + source.environment +
                             " is not set: set it in the environment or in .env");
}

}  // namespace

Plan with_values(Plan plan) {
    for (const auto& planned : plan.actions)
        if (const auto* create = std::get_if<CreateContainer>(&planned.action)) {
            refuse_missing("secret", create->spec->secrets, create->spec->name, plan.errors);
            refuse_missing("config", create->spec->configs, create->spec->name, plan.errors);
        }
    if (!plan.errors.empty())
        plan.actions.clear();
    return plan;
}

}  // namespace stack::plan
