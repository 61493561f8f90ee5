#include "cli/watch_rules.h"

#include <stack/error.h>

#include <algorithm>
#include <optional>

namespace stack::cli {
namespace {

/// What version control and editors leave beside what a person has written.
const Strings ephemeral{"**/.git",
                        "**/.*.sw?",
                        "**/.*.sv?",
                        "**/4913",
                        "**/*~",
                        "**/.#*",
                        "**/#*#",
                        "**/.idea",
                        "**/*___jb_old___",
                        "**/*___jb_tmp___",
                        "**/.*.kate-swp"};

/// `path` as seen from `directory`; "" is the directory itself.
std::optional<std::string> relative(const std::string& path, const std::string& directory) {
    if (path == directory)
        return "";
    const std::string prefix = directory == "/" ? directory : directory + "/";
    if (directory.empty() || !path.starts_with(prefix))
        return std::nullopt;
    return path.substr(prefix.size());
}

build::IgnoreRules patterns(const std::string& service, const char* key, const Strings& given) {
    auto rules = build::IgnoreRules::from_patterns(given);
    if (!rules)
        throw Error("service " + service + ": `" + key +
                    "` of `develop.watch`: " + rules.error().message);
    return std::move(*rules);
}

Strings with_ephemeral(const Strings& ignore) {
    Strings all = ephemeral;
    all.insert(all.end(), ignore.begin(), ignore.end());
    return all;
}

template <class T>
void add_once(std::vector<T>& list, const T& value) {
    if (std::find(list.begin(), list.end(), value) == list.end())
        list.push_back(value);
}

void react(Reaction& reaction, const WatchedRule& rule, const std::string& path) {
    const std::string& action = rule.rule().action;
    reaction.rebuild = reaction.rebuild || action == "rebuild";
    reaction.restart = reaction.restart || action == "restart" || action == "sync+restart";
    if (action.starts_with("sync"))
        add_once(reaction.sync, {path, rule.target_of(path)});
    if (action == "sync+exec" && rule.rule().exec)
        add_once(reaction.exec, *rule.rule().exec);
}

}  // namespace

WatchedRule::WatchedRule(const Service& service, WatchRule rule, build::IgnoreRules context)
    : service_(service.name),
      rule_(std::move(rule)),
      context_directory_(service.build ? service.build->context : ""),
      context_(std::move(context)),
      ignore_(patterns(service_, "ignore", with_ephemeral(rule_.ignore))),
      include_(patterns(service_, "include", rule_.include)) {}

bool WatchedRule::ignores(const std::string& path) const {
    const auto in_context = relative(path, context_directory_);
    return ignore_.excludes(relative(path, rule_.path).value_or("")) ||
           (in_context && context_.excludes(*in_context));
}

bool WatchedRule::wants(const std::string& path) const {
    const auto inside = relative(path, rule_.path);
    if (!inside || ignores(path))
        return false;
    return inside->empty() || include_.empty() || include_.excludes(*inside);
}

bool WatchedRule::may_take_back_below(const std::string& directory) const {
    const auto in_context = relative(directory, context_directory_);
    return ignore_.may_include_below(relative(directory, rule_.path).value_or("")) ||
           (in_context && context_.may_include_below(*in_context));
}

bool WatchedRule::may_want_below(const std::string& directory) const {
    if (relative(rule_.path, directory))
        return true;
    return relative(directory, rule_.path) &&
           (!ignores(directory) || may_take_back_below(directory));
}

std::string WatchedRule::target_of(const std::string& path) const {
    const std::string inside = relative(path, rule_.path).value_or("");
    if (inside.empty())
        return rule_.target;
    return rule_.target.ends_with('/') ? rule_.target + inside : rule_.target + "/" + inside;
}

std::map<std::string, Reaction> reactions(const std::vector<WatchedRule>& rules,
                                          const Strings& changed) {
    std::map<std::string, Reaction> all;
    for (const auto& path : changed)
        for (const auto& rule : rules)
            if (rule.wants(path))
                react(all[rule.service()], rule, path);
    for (auto& [service, reaction] : all)
        if (reaction.rebuild)
            reaction = {.rebuild = true};
    return all;
}

Reaction merged(Reaction first, const Reaction& second) {
    if (first.rebuild || second.rebuild)
        return {.rebuild = true};
    for (const auto& path : second.sync)
        if (std::find(first.sync.begin(), first.sync.end(), path) == first.sync.end())
            first.sync.push_back(path);
    std::stable_sort(first.sync.begin(), first.sync.end(), [](const auto& a, const auto& b) {
        return a.path < b.path;  // a directory before what is in it
    });
    for (const auto& hook : second.exec)
        if (std::find(first.exec.begin(), first.exec.end(), hook) == first.exec.end())
            first.exec.push_back(hook);
    first.restart = first.restart || second.restart;
    return first;
}

bool is_mounted(const Service& service, const std::string& path) {
    return std::any_of(service.volumes.begin(), service.volumes.end(), [&](const Mount& mount) {
        return mount.type == MountType::bind && relative(path, mount.source);
    });
}

}  // namespace stack::cli
