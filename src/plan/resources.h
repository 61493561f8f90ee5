#pragma once

// The networks and volumes of an `up`: which are made, which network is made anew, and what waits
// for that.

#include <stack/plan.h>

#include "plan/builder.h"

#include <map>
#include <set>
#include <string>

namespace stack::plan {

class Resources {
  public:
    /// `keep`: nothing is made anew (plan_keep). `selected`: the services of the command, which may
    /// become more while it is planned.
    Resources(const Stack& desired,
              const Observed& observed,
              const PlanOptions& options,
              bool keep,
              const std::set<std::string>& selected,
              Builder& builder)
        : desired_(desired),
          observed_(observed),
          options_(options),
          keep_(keep),
          selected_(selected),
          builder_(builder) {}

    /// Those that the service uses and that no service before it had.
    void plan(const Service& service);

    /// All of the stack that nobody had, used or not.
    void plan_all();

    /// They are there before `user`. `service` is as containers have it: with their real names.
    void order(const Service& service, Node user);

    /// `last`, by which a container leaves these networks, comes before they are removed.
    void order_removals(const std::map<std::string, NetworkAttachment>& networks, Node last);

    /// Whether the network of that real name is made anew.
    [[nodiscard]] bool is_made_anew(const std::string& network) const;

  private:
    void plan_once(const std::string& key, const Network& network);
    void plan_once(const std::string& key, const Volume& volume);
    void plan_network(const Network& network);
    void remake(const Network& network, const CreateNetwork& create);
    [[nodiscard]] const ObservedContainer* lasting_user(const std::string& network) const;
    void plan_volume(const Volume& volume);

    const Stack& desired_;
    const Observed& observed_;
    const PlanOptions& options_;
    bool keep_;
    const std::set<std::string>& selected_;
    Builder& builder_;
    std::set<std::string> seen_networks_;
    std::set<std::string> seen_volumes_;
    std::map<std::string, Node> networks_;          // created ones, by real name
    std::map<std::string, Node> removed_networks_;  // by real name
    std::map<std::string, Node> volumes_;           // created ones, by real name
};

}  // namespace stack::plan
