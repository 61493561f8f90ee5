#pragma once

// Where the images of an `up` come from: which are pulled, which are built, and what waits for
// that.

#include <stack/plan.h>

#include "plan/builder.h"
#include "plan/diverge.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::plan {

class Images {
  public:
    Images(const Stack& desired,
           const Observed& observed,
           const PlanOptions& options,
           Builder& builder)
        : desired_(desired), observed_(observed), options_(options), builder_(builder) {}

    /// Those that are built first: who uses one without building it uses the new one.
    void plan(const Strings& services);

    /// What must be done before an image that a hook or a mount of `service` names is there; none
    /// where it is.
    [[nodiscard]] std::optional<Node> need(const std::string& reference, const Service& service);

    /// nullptr: it is not in the store.
    [[nodiscard]] const ObservedImage* present(const std::string& reference) const;

    /// What must be done before the service has its image; none where it has it.
    [[nodiscard]] std::optional<Node> node(const std::string& service) const;

    /// `user` comes when the images that the service mounts are there.
    void order_mounted(const Service& service, Node user);

    /// Likewise, and when its own is.
    void order(const Service& service, Node user);

    /// Why a container of the service must be made anew for the sake of the images that it mounts.
    [[nodiscard]] std::optional<Divergence> why_mount_anew(const ObservedContainer& container,
                                                           const Service& service) const;

    /// Whether a build will give the service another image than it has.
    [[nodiscard]] bool is_built(const std::string& service) const;

  private:
    struct Planned {
        std::optional<Node> node;
        bool changes = false;
    };

    void plan_service(const std::string& name);
    void plan_mounted(const Service& service);
    void plan_build(const Service& service,
                    const std::string& reference,
                    const ObservedImage* present);
    void plan_pull(const Service& service,
                   const std::string& reference,
                   const ObservedImage* present);
    /// A name is one image's, and an image is for one platform.
    void refuse_two_platforms(const Strings& services);
    /// The command line's, where that has one.
    [[nodiscard]] const std::string& pull_policy(const Service& service) const;
    [[nodiscard]] std::string why_pull(const std::string& policy,
                                       const Service& service,
                                       const ObservedImage* present) const;
    [[nodiscard]] bool wants_build(const Service& service, const ObservedImage* present);
    /// Whether an image that this one is built from is built first; plans that.
    [[nodiscard]] bool takes_from_what_is_built(const Service& service);
    [[nodiscard]] std::string source_digest(const std::string& service) const;

    const Stack& desired_;
    const Observed& observed_;
    const PlanOptions& options_;
    Builder& builder_;
    std::map<std::string, Planned> services_;
    std::map<std::string, Node> nodes_;                 // by reference
    std::map<std::string, std::vector<Node>> mounted_;  // by service
    std::set<std::string> builds_;                      // references
};

}  // namespace stack::plan
