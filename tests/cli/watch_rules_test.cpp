// develop.watch: which change means what, for whom.

#include "cli/watch_rules.h"

#include <stack/error.h>

#include <gtest/gtest.h>

namespace stack::cli {

void PrintTo(const SyncedPath& synced, std::ostream* out) {
    *out << synced.path << " -> " << synced.target;
}

namespace {

Service built(const std::string& name) {
    Service service;
    service.name = name;
    service.build.emplace().context = "/p/" + name;
    return service;
}

WatchRule rule(const std::string& path, const std::string& action, const std::string& target = "") {
    WatchRule value;
    value.path = path;
    value.action = action;
    value.target = target;
    return value;
}

build::IgnoreRules ignoring(const Strings& patterns) {
    return build::IgnoreRules::from_patterns(patterns).value();
}

TEST(WatchRules, AFileGoesWhereItIsBelowTheTarget) {
    const std::vector<WatchedRule> rules{
        {built("web"), rule("/p/web/src", "sync", "/app"), {}},
        {built("db"), rule("/p/db/my.cnf", "sync", "/etc/my.cnf"), {}}};
    const auto all = reactions(rules, {"/p/db/my.cnf", "/p/web/src/a/b.py", "/p/web/srcs", "/q"});
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all.at("web").sync, (std::vector<SyncedPath>{{"/p/web/src/a/b.py", "/app/a/b.py"}}));
    EXPECT_EQ(all.at("db").sync, (std::vector<SyncedPath>{{"/p/db/my.cnf", "/etc/my.cnf"}}));
    EXPECT_FALSE(all.at("web").restart || all.at("web").rebuild);
}

TEST(WatchRules, ManyChangesAreOneRestartAndOneRunOfEachCommand) {
    Service web = built("web");
    WatchRule exec = rule("/p/web", "sync+exec", "/app");
    exec.exec.emplace().command = {"reload"};
    const std::vector<WatchedRule> rules{{web, rule("/p/web/etc", "sync+restart", "/etc"), {}},
                                         {web, exec, {}}};
    const auto all = reactions(rules, {"/p/web/etc/a", "/p/web/etc/b"});
    EXPECT_EQ(all.at("web").sync.size(), 4U);
    EXPECT_TRUE(all.at("web").restart);
    EXPECT_EQ(all.at("web").exec, (std::vector<Hook>{*exec.exec}));
}

TEST(WatchRules, ARebuildMakesTheRestNeedless) {
    const Service web = built("web");
    const std::vector<WatchedRule> rules{{web, rule("/p/web/src", "sync+restart", "/app"), {}},
                                         {web, rule("/p/web/requirements.txt", "rebuild"), {}}};
    const auto all = reactions(rules, {"/p/web/requirements.txt", "/p/web/src/a"});
    EXPECT_EQ(all.at("web"), (Reaction{.rebuild = true}));
}

TEST(WatchRules, WhatWasMissedIsDoneWithWhatComesNext) {
    const Reaction missed{.sync = {{"/p/b/c", "/b/c"}, {"/p/d", "/d"}}, .restart = true};
    const Reaction next{.sync = {{"/p/b", "/b"}, {"/p/d", "/d"}}, .exec = {Hook{}}};
    const Reaction both = merged(missed, next);
    EXPECT_EQ(both.sync,
              (std::vector<SyncedPath>{{"/p/b", "/b"}, {"/p/b/c", "/b/c"}, {"/p/d", "/d"}}));
    EXPECT_EQ(both.exec.size(), 1U);
    EXPECT_TRUE(both.restart);
    EXPECT_EQ(merged(missed, {.rebuild = true}), Reaction{.rebuild = true});
}

TEST(WatchRules, WhatIsIgnoredIsThatOfTheRuleOfTheBuildAndOfEditors) {
    WatchRule sync = rule("/p/web/src", "sync", "/app");
    sync.ignore = {"node_modules", "*.log", "!keep.log"};
    const WatchedRule watched(built("web"), sync, ignoring({"src/secret"}));
    for (const char* path : {"/p/web/src/node_modules/x/y.js",
                             "/p/web/src/a.log",
                             "/p/web/src/secret/key",
                             "/p/web/src/.git/index",
                             "/p/web/src/a/.x.py.swp",
                             "/p/web/src/a/x.py~",
                             "/p/web/src/4913"})
        EXPECT_FALSE(watched.wants(path)) << path;
    for (const char* path : {"/p/web/src/a.py", "/p/web/src/keep.log", "/p/web/src/.gitignore"})
        EXPECT_TRUE(watched.wants(path)) << path;
}

TEST(WatchRules, IncludeLeavesTheRestAlone) {
    WatchRule sync = rule("/p/web", "sync", "/app");
    sync.include = {"**/*.html"};
    const WatchedRule watched(built("web"), sync, {});
    EXPECT_TRUE(watched.wants("/p/web/a/index.html"));
    EXPECT_FALSE(watched.wants("/p/web/a/index.py"));
    EXPECT_TRUE(watched.may_want_below("/p/web/a"));
}

TEST(WatchRules, ADirectoryIsEnteredWhereSomethingInItMayBeWanted) {
    WatchRule sync = rule("/p/web/src", "sync", "/app");
    sync.ignore = {"out", "lib", "!lib/own"};
    const WatchedRule watched(built("web"), sync, {});
    EXPECT_TRUE(watched.may_want_below("/p"));
    EXPECT_TRUE(watched.may_want_below("/p/web/src/a"));
    EXPECT_TRUE(watched.may_want_below("/p/web/src/lib"));
    EXPECT_FALSE(watched.may_want_below("/p/web/src/.git"));
    EXPECT_FALSE(watched.may_want_below("/p/web/other"));
}

TEST(WatchRules, AWrongPatternIsNamed) {
    WatchRule sync = rule("/p/web", "sync", "/app");
    sync.ignore = {"[a"};
    EXPECT_THROW(WatchedRule(built("web"), sync, {}), Error);
}

TEST(WatchRules, WhatIsMountedNeedsNoCopy) {
    Service web = built("web");
    web.volumes.push_back({.type = MountType::bind, .source = "/p/web", .target = "/app"});
    EXPECT_TRUE(is_mounted(web, "/p/web/src"));
    EXPECT_FALSE(is_mounted(web, "/p/webs"));
}

}  // namespace
}  // namespace stack::cli
