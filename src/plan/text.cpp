// A plan as people and programs have it.

#include "base/text.h"

#include <stack/plan.h>

#include <algorithm>
#include <type_traits>

#include <nlohmann/json.hpp>

namespace stack {
namespace {

struct Words {
    const char* verb;
    std::string object;
};

Words words(const PullImage& a) {
    return {"pull", "Image " + a.reference};
}

Words words(const BuildImage& a) {
    return {"build", "Image " + a.tag};
}

Words words(const CreateNetwork& a) {
    return {"create", "Network " + a.network.name};
}

Words words(const RemoveNetwork& a) {
    return {"remove", "Network " + a.name};
}

Words words(const CreateVolume& a) {
    return {"create", "Volume " + a.volume.name};
}

Words words(const RemoveVolume& a) {
    return {"remove", "Volume " + a.name};
}

Words words(const CreateContainer& a) {
    return {"create", "Container " + a.spec->name};
}

Words words(const StartContainer& a) {
    return {"start", "Container " + a.name};
}

Words words(const StopContainer& a) {
    return {"stop", "Container " + a.name};
}

Words words(const KillContainer& a) {
    return {"kill", "Container " + a.name};
}

Words words(const PauseContainer& a) {
    return {a.paused ? "pause" : "unpause", "Container " + a.name};
}

Words words(const RemoveContainer& a) {
    return {"remove", "Container " + a.name};
}

Words words(const UpdateContainer& a) {
    return {"update", "Container " + a.name};
}

Words words(const AwaitHealthy& a) {
    return {"await-healthy", "Container " + a.name};
}

Words words(const AwaitCompleted& a) {
    return {"await-completed", "Container " + a.name};
}

Words words(const Action& action) {
    return std::visit([](const auto& one) { return words(one); }, action);
}

std::string shown(const std::string& value) {
    return value.empty() ? "(none)" : value;
}

std::string after_text(const PlannedAction& action) {
    if (action.after.empty())
        return {};
    std::string text = " (after";
    for (const auto index : action.after)
        text += " #" + std::to_string(index) + (tolerates(action, index) ? " or its failure" : "");
    return text + ")";
}

const std::vector<Hook>& hooks_of(const Action& action) {
    static const std::vector<Hook> none;
    if (const auto* start = std::get_if<StartContainer>(&action))
        return start->post_start;
    if (const auto* stop = std::get_if<StopContainer>(&action))
        return stop->pre_stop;
    return none;
}

const char* hook_name(const Action& action) {
    return std::holds_alternative<StartContainer>(action) ? "post_start" : "pre_stop";
}

std::string dump(const nlohmann::json& json) {
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string verb(const Action& action) {
    return words(action).verb;
}

std::string object(const Action& action) {
    return words(action).object;
}

bool tolerates(const PlannedAction& action, std::size_t earlier) {
    return std::binary_search(action.tolerates.begin(), action.tolerates.end(), earlier);
}

std::string to_text(const FieldChange& change) {
    return change.field + ": " + shown(change.before) + " -> " + shown(change.after);
}

std::string to_text(const Plan& plan) {
    std::string text;
    for (const auto& error : plan.errors)
        text += "error: " + error + "\n";
    for (const auto& warning : plan.warnings)
        text += "warning: " + warning + "\n";
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto& action = plan.actions[i];
        text += "#" + std::to_string(i) + " " + verb(action.action) + " " + action.resource + ": " +
                action.reason + after_text(action) + (action.optional ? " (may fail)" : "") + "\n";
        for (const auto& change : action.changes)
            text += "      " + to_text(change) + "\n";
        for (const auto& hook : hooks_of(action.action))
            text += std::string("      ") + hook_name(action.action) + ": " +
                    join(hook.command, " ") + "\n";
    }
    if (plan.actions.empty() && plan.errors.empty())
        text += "nothing to do\n";
    return text;
}

std::string to_json_text(const Plan& plan) {
    nlohmann::json actions = nlohmann::json::array();
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto& action = plan.actions[i];
        nlohmann::json changes = nlohmann::json::array();
        for (const auto& change : action.changes)
            changes.push_back(
                {{"field", change.field}, {"before", change.before}, {"after", change.after}});
        nlohmann::json hooks = nlohmann::json::array();
        for (const auto& hook : hooks_of(action.action))
            hooks.push_back({{"name", hook_name(action.action)}, {"command", hook.command}});
        actions.push_back({{"id", i},
                           {"action", verb(action.action)},
                           {"resource", action.resource},
                           {"reason", action.reason},
                           {"changes", changes},
                           {"hooks", hooks},
                           {"after", action.after},
                           {"tolerates", action.tolerates},
                           {"optional", action.optional}});
    }
    return dump({{"actions", actions},
                 {"warnings", plan.warnings},
                 {"errors", plan.errors},
                 {"running", plan.running}});
}

}  // namespace stack
