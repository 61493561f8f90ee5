#pragma once

// `develop.watch`: which changed path asks for what, of which service. Pure.

#include <stack/model.h>

#include "engine/build/ignore.h"

#include <map>
#include <string>
#include <vector>

namespace stack::cli {

/// One rule of a service, ready to be asked.
class WatchedRule {
  public:
    /// `context`: what the service's build does not see of its context. Throws stack::Error where a
    /// pattern is wrong.
    WatchedRule(const Service& service, WatchRule rule, build::IgnoreRules context);

    [[nodiscard]] const std::string& service() const { return service_; }

    [[nodiscard]] const WatchRule& rule() const { return rule_; }

    [[nodiscard]] bool wants(const std::string& path) const;
    /// Whether it may want something in this directory.
    [[nodiscard]] bool may_want_below(const std::string& directory) const;
    /// Where a wanted path is in the container.
    [[nodiscard]] std::string target_of(const std::string& path) const;

  private:
    [[nodiscard]] bool ignores(const std::string& path) const;
    [[nodiscard]] bool may_take_back_below(const std::string& directory) const;

    std::string service_;
    WatchRule rule_;
    std::string context_directory_;
    build::IgnoreRules context_;
    build::IgnoreRules ignore_;
    build::IgnoreRules include_;
};

/// A path of this machine that is to be the same in the service's containers.
struct SyncedPath {
    std::string path;
    std::string target;

    bool operator==(const SyncedPath&) const = default;
};

/// What changes ask of one service, in this order; a rebuild makes everything else needless.
struct Reaction {
    std::vector<SyncedPath> sync;
    bool rebuild = false;
    std::vector<Hook> exec;
    bool restart = false;

    bool operator==(const Reaction&) const = default;
};

/// By service.
[[nodiscard]] std::map<std::string, Reaction> reactions(const std::vector<WatchedRule>& rules,
                                                        const Strings& changed);

/// What both ask of a service; each once.
[[nodiscard]] Reaction merged(Reaction first, const Reaction& second);

/// Whether the service sees the path in its containers anyway, by a bind mount.
[[nodiscard]] bool is_mounted(const Service& service, const std::string& path);

}  // namespace stack::cli
