#pragma once

// From (what is wanted, what is there) to an ordered list of reasons to act. Pure and
// deterministic.

#include <stack/boxed.h>
#include <stack/model.h>
#include <stack/observed.h>

#include <cstddef>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace stack {

struct PullImage {
    std::string reference;
    std::string platform;
    bool optional = false;  // a failed pull of a service that can be built is followed by its build
    bool operator==(const PullImage&) const = default;
};

struct BuildImage {
    std::string service;
    std::string tag;
    Boxed<Build> build;
    std::string source_digest;
    bool no_cache = false;
    bool pull = false;
    bool operator==(const BuildImage&) const = default;
};

struct CreateNetwork {
    std::string project;
    Network network;
    std::string config_digest;
    bool operator==(const CreateNetwork&) const = default;
};

struct RemoveNetwork {
    std::string name;
    bool operator==(const RemoveNetwork&) const = default;
};

struct CreateVolume {
    std::string project;
    Volume volume;
    std::string config_digest;
    bool operator==(const CreateVolume&) const = default;
};

/// Refused while a container, of whichever stack, has it.
struct RemoveVolume {
    std::string name;
    bool operator==(const RemoveVolume&) const = default;
};

/// The project of the containers that belong to no stack. No stack file can choose this name.
inline constexpr const char* single_containers = "_single";

/// A container's description, complete but for what its image says (entrypoint, environment, user
/// …). Volume sources and network keys in `service` are real names; secrets and configs carry their
/// sources.
struct ContainerSpec {
    std::string name;
    std::string project;
    int number = 1;
    bool oneoff = false;
    bool auto_remove = false;   // removed when it has ended
    bool await_client = false;  // its program begins when a client has attached: it is that one's
    Service service;
    std::map<std::string, FileSource> secrets;
    std::map<std::string, FileSource> configs;
    std::string image;  // reference; `rootfs:DIR` for a plain directory
    std::string config_digest;
    std::string anonymous_salt;  // renews the names of anonymous volumes when it changes
    std::string working_dir;     // of the stack, for labels
    Strings files;               // of the stack, for labels
    std::map<std::string, Strings>
        avoided_addresses;  // by network: the static ones of the stack's other services
    bool operator==(const ContainerSpec&) const = default;
};

/// Made for a command (`run`), not for a service or one of its hooks: whoever is so described again
/// is another one, which cannot have the name.
[[nodiscard]] inline bool is_of_command(const ContainerSpec& spec) {
    return spec.oneoff && !spec.anonymous_salt.empty();
}

struct CreateContainer {
    Boxed<ContainerSpec> spec;
    bool operator==(const CreateContainer&) const = default;
};

/// Identified by name: a plan may start what it creates. Done when `post_start`, in its order, has
/// run inside, too; that is the supervisor's part.
struct StartContainer {
    std::string name;
    std::vector<Hook> post_start = {};
    bool by_policy = false;  // a restart: not of one that a person has stopped meanwhile
    bool operator==(const StartContainer&) const = default;
};

/// Begun when `pre_stop`, in its order, has succeeded inside; that is the supervisor's part.
struct StopContainer {
    std::string id;
    std::string name;
    std::optional<Duration> timeout;  // nullopt: the container's own grace period
    std::vector<Hook> pre_stop = {};
    bool network_goes = false;  // it and its network are removed next
    std::string signal = {};    // empty: the container's own stop signal
    bool operator==(const StopContainer&) const = default;
};

struct KillContainer {
    std::string id;
    std::string name;
    std::string signal;
    bool operator==(const KillContainer&) const = default;
};

struct PauseContainer {
    std::string id;
    std::string name;
    bool paused = true;
    bool operator==(const PauseContainer&) const = default;
};

/// Refused while it runs.
struct RemoveContainer {
    std::string id;
    std::string name;
    bool anonymous_volumes = false;  // remove these with it
    bool operator==(const RemoveContainer&) const = default;
};

/// Changes what can change while the container runs: its limits, restart policy and networks are
/// those of `service` then.
struct UpdateContainer {
    std::string id;
    std::string name;
    Boxed<Service> service;
    std::string config_digest;
    bool operator==(const UpdateContainer&) const = default;
};

/// Done when the container is healthy; failed when it is unhealthy, has no health check, or has
/// ended, or when that has taken longer than `timeout`.
struct AwaitHealthy {
    std::string name;
    bool or_well = false;  // done also when it runs without a health check, or has ended with 0 and
                           // is not started again by its policy
    std::optional<Duration> timeout = {};
    bool operator==(const AwaitHealthy&) const = default;
};

/// Done when the container has ended with status 0.
struct AwaitCompleted {
    std::string name;
    bool operator==(const AwaitCompleted&) const = default;
};

/// Small, whatever it is: what is large in one is boxed. A large plan is written and moved in
/// memory.
using Action = std::variant<PullImage,
                            BuildImage,
                            CreateNetwork,
                            RemoveNetwork,
                            CreateVolume,
                            RemoveVolume,
                            CreateContainer,
                            StartContainer,
                            StopContainer,
                            KillContainer,
                            PauseContainer,
                            RemoveContainer,
                            UpdateContainer,
                            AwaitHealthy,
                            AwaitCompleted>;

struct FieldChange {
    std::string field;  // "environment.DEBUG"
    std::string before;
    std::string after;
    bool operator==(const FieldChange&) const = default;
};

/// One line of a plan: what, to what, why, and which actions must have succeeded before, or at
/// least ended.
struct PlannedAction {
    Action action;
    std::string resource;  // "container/shop-web-1", "network/shop_default"
    std::string reason;    // "not found", "configuration changed"
    std::vector<FieldChange> changes;
    std::vector<std::size_t>
        after;  // indices into Plan::actions, all smaller than this action's own
    std::vector<std::size_t>
        tolerates;  // those of `after` that may as well fail (depends_on, required: false), sorted
    bool optional = false;  // a failure is a warning: all that waits for it tolerates that
    bool operator==(const PlannedAction&) const = default;
};

/// Whether `action` is done also where the one of its `after` at index `earlier` has failed.
[[nodiscard]] bool tolerates(const PlannedAction& action, std::size_t earlier);

struct Plan {
    std::vector<PlannedAction> actions;  // in topological order
    Strings warnings;
    Strings errors;   // why the plan cannot be carried out; where there are any, it has no actions
    Strings running;  // names of containers that are as wanted and stay untouched
    bool operator==(const Plan&) const = default;
};

enum class RecreatePolicy { diverged, always, never };

struct PlanOptions {
    Strings services;  // empty: all
    std::map<std::string, int> scale;
    RecreatePolicy recreate = RecreatePolicy::diverged;
    bool recreate_dependencies = false;  // --always-recreate-deps
    bool no_deps = false;
    bool no_start = false;
    bool build = false;  // build every service that can be built, also where an image is there
    bool no_build = false;
    std::string pull;  // "", always, missing, never: overrides pull_policy
    bool remove_orphans = false;
    bool ignore_orphans = false;  // say nothing of those that stay
    bool renew_anonymous_volumes = false;
    std::string renew_salt;  // a fresh value for it
    std::optional<Duration> timeout;
    Time now{};         // by which the ages of images are told; the planner's own, never sent
    bool wait = false;  // add the actions that await health or completion of every service
    std::optional<Duration> wait_timeout;
};

/// One more container of a service, for one command.
struct RunOptions {
    Service service;  // as the command changes it
    std::string name;
    bool auto_remove = false;
    bool await_client = false;
    bool keeps_policy = false;  // its restart policy is its own: otherwise its end is its user's
};

struct DownOptions {
    Strings services;  // empty: all, and the networks with them
    bool volumes = false;
    bool remove_orphans = false;
    std::optional<Duration> timeout;
};

/// `up` (and with options `create`, `scale`): what it takes for the world to be `desired`.
[[nodiscard]] Plan plan_up(const Stack& desired,
                           const Observed& observed,
                           const PlanOptions& options);

/// `run`: the service's dependencies are brought up as plan_up would, then the container. Its
/// service's own containers, restart policy and container_name have no part in it.
[[nodiscard]] Plan plan_run(const Stack& desired,
                            const Observed& observed,
                            const PlanOptions& options,
                            const RunOptions& run);

/// `down`: containers and networks go, volumes only if asked. External networks and volumes never;
/// containers of services that left the file only if asked, and what they use stays with them.
[[nodiscard]] Plan plan_down(const Stack& desired,
                             const Observed& observed,
                             const DownOptions& options);

/// `start`, `stop`, `restart`, `kill`, `rm`, `pause`, `unpause` on containers that exist;
/// dependencies in order.
/// Of `options` start heeds `wait` and `wait_timeout`.
[[nodiscard]] Plan plan_start(const Stack& desired,
                              const Observed& observed,
                              const Strings& services,
                              const PlanOptions& options = {});
[[nodiscard]] Plan plan_stop(const Stack& desired,
                             const Observed& observed,
                             const Strings& services,
                             std::optional<Duration> timeout);
[[nodiscard]] Plan plan_restart(const Stack& desired,
                                const Observed& observed,
                                const Strings& services,
                                std::optional<Duration> timeout,
                                bool no_deps);
/// The services that a restart of `service` would leave behind: in its old namespaces, or asked to
/// follow it (`depends_on: {restart: true}`).
[[nodiscard]] Strings followers_of(const Stack& desired, const std::string& service);

/// The services of running containers whose namespaces are those of a container that has ended,
/// while one of its service is there to share with: a restart takes them there.
[[nodiscard]] Strings stranded_services(const Stack& desired, const Observed& observed);

[[nodiscard]] Plan plan_kill(const Stack& desired,
                             const Observed& observed,
                             const Strings& services,
                             const std::string& signal);
[[nodiscard]] Plan plan_pause(const Stack& desired,
                              const Observed& observed,
                              const Strings& services,
                              bool paused);
[[nodiscard]] Plan plan_remove(const Stack& desired,
                               const Observed& observed,
                               const Strings& services,
                               bool stop,
                               bool volumes);

/// `build`: the images of these services, which have a `build`, and of the services that their
/// builds take from; one after another.
[[nodiscard]] Plan plan_build(const Stack& desired, const Strings& services);

/// What it takes to keep `desired` true without a person asking: of the services and numbers that
/// `options` names, containers that vanished come back; their networks and volumes, too. One that
/// was made for it and could not start is started. Nothing is taken away. Exited containers are the
/// restart policy's (supervise/restart.h).
[[nodiscard]] Plan plan_keep(const Stack& desired,
                             const Observed& observed,
                             const PlanOptions& options);

/// One line an action, deterministic: `#3 create container/shop-web-1: not found (after #0 #2)`.
[[nodiscard]] std::string to_text(const Plan& plan);
[[nodiscard]] std::string to_json_text(const Plan& plan);
/// `field: old -> new`.
[[nodiscard]] std::string to_text(const FieldChange& change);
/// Graphviz source of the graph.
[[nodiscard]] std::string to_dot(const Plan& plan);
/// The same for Mermaid, which Markdown pages render.
[[nodiscard]] std::string to_mermaid(const Plan& plan);
/// The same drawn, as SVG.
[[nodiscard]] std::string to_svg(const Plan& plan);

/// "create", "start", …: the verb of an action, and "Container shop-web-1": its object as progress
/// shows it.
[[nodiscard]] std::string verb(const Action& action);
[[nodiscard]] std::string object(const Action& action);

}  // namespace stack
