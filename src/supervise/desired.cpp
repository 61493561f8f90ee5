#include "supervise/desired.h"

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "model/codec.h"
#include "sys/file.h"
#include "sys/tree.h"

namespace stack::supervise {
namespace {

using model::Json;

std::string state_directory(const Paths& paths, const std::string& project) {
    return paths.state + "/projects/" + project;
}

std::int64_t nanoseconds(Time time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

Time time_of(std::int64_t ns) {
    return Time(std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds(ns)));
}

Json encode_state(const RestartState& state) {
    return {{"attempts", state.attempts},
            {"delay", state.delay.count()},
            {"next", state.next ? Json(nanoseconds(*state.next)) : Json()},
            {"ending", nanoseconds(state.ending)},
            {"unhealthy", state.unhealthy}};
}

RestartState decode_state(const Json& json) {
    RestartState state;
    state.attempts = json.value("attempts", 0);
    state.delay = Duration(json.value("delay", std::int64_t{0}));
    if (const auto next = json.find("next"); next != json.end() && next->is_number_integer())
        state.next = time_of(next->get<std::int64_t>());
    state.ending = time_of(json.value("ending", std::int64_t{0}));
    state.unhealthy = json.value("unhealthy", false);
    return state;
}

}  // namespace

std::string project_run_directory(const Paths& paths, const std::string& project) {
    return paths.run + "/projects/" + project;
}

std::optional<Stack> load_desired(const Paths& paths, const std::string& project) {
    const auto text = sys::read_file(state_directory(paths, project) + "/stack.json");
    if (!text)
        return std::nullopt;
    const Json json = Json::parse(*text, nullptr, false);
    if (!json.is_object() ||
        json.value("checksum", "") != sha256_hex(json.value("stack", Json()).dump())) {
        log::warn("the record of project " + project + " is damaged: going by what runs, ignoring");
        return std::nullopt;
    }
    Stack stack;
    model::decode(json["stack"], stack);
    return stack;
}

void store_desired(const Paths& paths, const Stack& stack) {
    const std::string directory = state_directory(paths, stack.name);
    sys::ensure_directory(directory, 0700);
    const auto before = sys::read_file(directory + "/stack.json");
    const Json old = Json::parse(before.value_or(""), nullptr, false);
    const int generation = old.is_object() ? old.value("generation", 0) : 0;
    const Json encoded = model::encode(stack);
    if (old.is_object() && old.value("stack", Json()) == encoded)
        return;
    const Json record = {{"checksum", sha256_hex(encoded.dump())},
                         {"generation", generation + 1},
                         {"stack", encoded}};
    STACK_FAILPOINT("desired.write");
    sys::replace_file(directory + "/stack.json", record.dump() + "\n");
}

std::map<std::string, RestartState> load_restarts(const Paths& paths, const std::string& project) {
    std::map<std::string, RestartState> states;
    const auto text = sys::read_file(state_directory(paths, project) + "/restarts.json");
    const Json json = Json::parse(text.value_or(""), nullptr, false);
    if (json.is_object())
        for (const auto& [id, state] : json.items())
            states[id] = decode_state(state);
    return states;
}

void store_restarts(const Paths& paths,
                    const std::string& project,
                    const std::map<std::string, RestartState>& states) {
    Json json = Json::object();
    for (const auto& [id, state] : states)
        json[id] = encode_state(state);
    sys::ensure_directory(state_directory(paths, project), 0700);
    sys::replace_volatile_file(state_directory(paths, project) + "/restarts.json",
                               json.dump() + "\n");
}

Kept load_kept(const Paths& paths, const std::string& project) {
    const auto text = sys::read_file(state_directory(paths, project) + "/kept.json");
    const Json json = Json::parse(text.value_or(""), nullptr, false);
    return json.is_object() ? json.get<Kept>() : Kept{};
}

void store_kept(const Paths& paths, const std::string& project, const Kept& kept) {
    const std::string file = state_directory(paths, project) + "/kept.json";
    const std::string text = Json(kept).dump() + "\n";
    sys::ensure_directory(state_directory(paths, project), 0700);
    if (sys::read_file(file) != text)
        sys::replace_volatile_file(file, text);
}

std::string single_use_lock(const Paths& paths) {
    sys::ensure_directory(paths.run + "/locks", 0700);
    return paths.run + "/locks/" + single_containers + ".use";
}

void forget(const Paths& paths, const std::string& project) {
    STACK_FAILPOINT("desired.forget");
    sys::remove_tree(state_directory(paths, project));
}

}  // namespace stack::supervise
