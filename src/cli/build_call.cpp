#include "cli/build_call.h"

#include "base/base64.h"
#include "base/text.h"
#include "cli/style.h"
#include "engine/build/outline.h"
#include "sys/terminal.h"

#include <cctype>
#include <map>
#include <vector>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::ordered_json;
using Method = BuildCall::Method;

void write(const Json& json) {
    sys::write_out(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

Json location_of(int line) {
    const Json place{{"line", line}};
    return {{"ranges", Json::array({Json{{"start", place}, {"end", place}}})}};
}

/// As docker has it, what says nothing is left out.
void put(Json& json, const char* name, const std::string& value) {
    if (!value.empty())
        json[name] = value;
}

Json json_of(const std::vector<build::Target>& targets) {
    Json all = Json::array();
    for (const auto& target : targets) {
        Json one = Json::object();
        put(one, "name", target.name);
        if (target.is_default)
            one["default"] = true;
        put(one, "description", target.description);
        put(one, "base", target.base);
        put(one, "platform", target.platform);
        one["location"] = location_of(target.line);
        all.push_back(std::move(one));
    }
    return all;
}

void put(Json& json, const char* name, const std::vector<build::Wish>& wishes, const char* key) {
    for (const auto& wish : wishes) {
        Json one{{key, wish.id}};
        if (wish.required)
            one["required"] = true;
        one["location"] = location_of(wish.line);
        json[name].push_back(std::move(one));
    }
}

Json json_of(const build::Outline& outline) {
    Json json = Json::object();
    put(json, "name", outline.target.name);
    put(json, "description", outline.target.description);
    for (const auto& argument : outline.arguments) {
        Json one{{"name", argument.name}};
        put(one, "description", argument.description);
        put(one, "value", argument.value);
        one["location"] = location_of(argument.line);
        json["args"].push_back(std::move(one));
    }
    put(json, "secrets", outline.secrets, "name");
    put(json, "ssh", outline.agents, "name");
    put(json, "cache", outline.caches, "ID");
    return json;
}

/// A stage without a name goes by its number, as --target has it.
std::string text_of(const std::vector<build::Target>& targets) {
    std::vector<Strings> rows{{"TARGET", "DESCRIPTION"}};
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const auto& target = targets[i];
        const std::string name =
            target.name.empty() && !target.is_default ? std::to_string(i) : target.name;
        const std::string mark = target.is_default ? "(default)" : "";
        rows.push_back(
            {name + (name.empty() || mark.empty() ? "" : " ") + mark, target.description});
    }
    return table(rows);
}

std::string text_of(const char* head, const std::vector<build::Wish>& wishes) {
    std::vector<Strings> rows{{head, "REQUIRED"}};
    for (const auto& wish : wishes)
        rows.push_back({wish.id, wish.required ? "true" : ""});
    return wishes.empty() ? "" : table(rows) + "\n";
}

std::string text_of(const build::Outline& outline) {
    const auto& target = outline.target;
    std::string text;
    if (!target.name.empty() || !target.description.empty()) {
        std::vector<Strings> rows{{"TARGET:", target.name.empty() ? "(default)" : target.name}};
        if (!target.description.empty())
            rows.push_back({"DESCRIPTION:", target.description});
        text += table(rows) + "\n";
    }
    std::vector<Strings> rows{{"BUILD ARG", "VALUE", "DESCRIPTION"}};
    for (const auto& argument : outline.arguments)
        rows.push_back({argument.name, argument.value, argument.description});
    if (!outline.arguments.empty())
        text += table(rows) + "\n";
    return text + text_of("SECRET", outline.secrets) + text_of("SSH", outline.agents);
}

int offer(const Context& context, const build::BuildRequest& request, const BuildCall& call) {
    const auto offer = build::offer_of(context.paths, request, [](const Event&) {});
    if (!offer.mistakes.empty()) {
        sys::write_err(complaints_of({{}, offer.mistakes, {{offer.file, offer.text}}, {}}));
        return 1;
    }
    const bool wants_targets = call.method == Method::targets;
    if (!call.json) {
        sys::write_out(wants_targets ? text_of(offer.targets) : text_of(offer.outline));
        return 0;
    }
    Json json = wants_targets ? Json{{"targets", json_of(offer.targets)}} : json_of(offer.outline);
    json["sources"] = Json::array({base64_encode(offer.text)});
    write(json);
    return 0;
}

/// The names of rules begin with a capital letter, those of mistakes do not.
bool is_rule(const Diagnostic& one) {
    return !one.code.empty() && std::isupper(static_cast<unsigned char>(one.code.front())) != 0;
}

Json json_of(const build::BuildResult& result) {
    Json json{{"warnings", Json::array()}, {"sources", Json::array()}};
    for (const auto& one : result.diagnostics) {
        const Json location = location_of(one.location.line);
        if (is_rule(one))
            json["warnings"].push_back(
                {{"ruleName", one.code}, {"detail", one.message}, {"location", location}});
        else if (!json.contains("buildError"))
            json["buildError"] = {{"message", one.message}, {"location", location}};
    }
    for (const auto& [file, text] : result.sources)
        json["sources"].push_back(
            {{"fileName", file}, {"language", "Dockerfile"}, {"data", base64_encode(text)}});
    return json;
}

int check(const Context& context, const build::BuildRequest& request, bool json) {
    const auto result = build::check_build(context.paths, request, [](const Event&) {});
    const std::size_t count = result.diagnostics.size();
    if (json) {
        write(json_of(result));
        return count == 0 ? 0 : 1;
    }
    sys::write_out(complaints_of(result));
    sys::write_out(count == 0
                       ? "Check complete, no warnings found.\n"
                       : "Check complete, " + std::to_string(count) +
                             (count == 1 ? " warning has" : " warnings have") + " been found!\n");
    return count == 0 ? 0 : 1;
}

}  // namespace

BuildCall parse_build_call(const std::string& text) {
    BuildCall call;
    const auto [method, options] = split_once(text, ',');
    if (method == "check" || method == "lint")
        call.method = Method::check;
    else if (method == "outline")
        call.method = Method::outline;
    else if (method == "targets")
        call.method = Method::targets;
    else if (!method.empty() && method != "build")
        give_up("--call " + method + ": there are build, check, outline and targets");
    if (options == "format=json")
        call.json = true;
    else if (!options.empty() && options != "format=text")
        give_up("--call " + text + ": behind the comma there is format=json or format=text");
    return call;
}

int answer(const Context& context, const build::BuildRequest& request, const BuildCall& call) {
    return call.method == Method::check ? check(context, request, call.json)
                                        : offer(context, request, call);
}

std::string complaints_of(const build::BuildResult& result) {
    return to_text(
        result.diagnostics,
        [](const std::string& file, const void* sources) {
            const auto& texts = *static_cast<const std::map<std::string, std::string>*>(sources);
            const auto found = texts.find(file);
            return found == texts.end() ? std::string() : found->second;
        },
        &result.sources);
}

}  // namespace stack::cli
