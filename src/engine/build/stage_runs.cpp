#include "engine/build/stage_runs.h"

#include <stack/error.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace stack::build {

StageRuns::StageRuns(const BuildPlan& plan, BuildStage build)
    : plan_(plan), build_(std::move(build)) {
    for (const auto& stage : plan.stages)
        needs_[stage.index].insert(stage.needs.begin(), stage.needs.end());
}

void StageRuns::run() {
    std::vector<Run> runs;
    {
        const std::lock_guard lock(mutex_);
        for (const auto stage : plan_.order)
            runs.push_back(start(stage));
    }
    for (const auto& run : runs)
        run.wait();
    for (const auto& run : runs)
        run.get();
}

void StageRuns::need(std::size_t stage, std::size_t by) {
    Run run;
    {
        const std::lock_guard lock(mutex_);
        if (leads_to(stage, by))
            throw Error("the stage `" + plan_.stages[by].title + "` needs itself");
        needs_[by].insert(stage);
        run = start(stage);
    }
    run.wait();
}

/// The caller holds the mutex.
StageRuns::Run StageRuns::start(std::size_t stage) {
    const auto [known, is_new] = runs_.try_emplace(stage);
    if (!is_new && !known->second.valid())
        throw Error("the stage `" + plan_.stages[stage].title + "` needs itself");
    if (!is_new)
        return known->second;
    std::vector<Run> needed;
    for (const auto need : plan_.stages[stage].needs)
        needed.push_back(start(need));
    const auto build = [this, stage, needed] {
        for (const auto& run : needed)
            run.wait();
        build_(plan_.stages[stage]);
    };
    known->second = std::async(std::launch::async, build).share();
    return known->second;
}

bool StageRuns::leads_to(std::size_t from, std::size_t to) const {
    std::set<std::size_t> seen;
    std::vector<std::size_t> open{from};
    while (!open.empty()) {
        const std::size_t stage = open.back();
        open.pop_back();
        if (stage == to)
            return true;
        if (seen.insert(stage).second)
            open.insert(open.end(), needs_.at(stage).begin(), needs_.at(stage).end());
    }
    return false;
}

}  // namespace stack::build
