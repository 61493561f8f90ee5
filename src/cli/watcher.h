#pragma once

// `develop.watch`, carried out: what changes on this machine comes into the containers, or makes
// new ones.

#include <stack/model.h>

#include "cli/ask.h"
#include "cli/context.h"
#include "cli/local.h"
#include "cli/local_runtime.h"
#include "cli/watch_rules.h"
#include "sys/tree_watch.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace stack::cli {

struct WatcherOptions {
    Quiet quiet;
    bool prune = true;  // remove the image that a rebuild has replaced
};

class Watcher {
  public:
    /// Looks at the files: from here on no change is missed. Gives up where none of the services
    /// (none named: all) has anything to watch.
    Watcher(const Context& context,
            const Stack& stack,
            const Strings& services,
            WatcherOptions options);

    /// Returns when `end` is readable; with none it goes on until a signal ends the process.
    void run(const sys::Fd& end);

  private:
    /// What could not be carried out for a service: it is tried again.
    struct Missed {
        Reaction reaction;
        std::string why;
    };

    void add_rules(const Service& service);
    [[nodiscard]] sys::TreeState look();
    [[nodiscard]] bool settle(const sys::Fd& end) const;
    void take_changes();
    void react(const std::string& service, const Reaction& reaction);
    void sync_initially();
    void carry_out(const std::string& service, const Reaction& reaction);
    void rebuild(const std::string& service);
    void restart(const std::string& service);
    void remove_images(const std::set<std::string>& ids);
    void run_hook(const ObservedContainer& container, const Hook& hook);
    [[nodiscard]] std::vector<ObservedContainer> containers(const std::string& service);

    Context context_;  // its progress leaves what has been printed alone
    const Stack& stack_;
    WatcherOptions options_;
    LocalEngine local_;
    LocalRuntime runtime_;
    std::vector<WatchedRule> rules_;
    sys::TreeWatch watch_;
    sys::TreeState state_;
    std::map<std::string, Missed> missed_;
};

}  // namespace stack::cli
