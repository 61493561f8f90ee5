#pragma once

// The real engine's class, for the files that implement it (perform.cpp, observe.cpp, names.cpp,
// ports.cpp).

#include <stack/engine.h>
#include <stack/paths.h>

#include "engine/cgroup/cgroup.h"
#include "engine/image/store.h"
#include "engine/network/networks.h"
#include "engine/runtime/runtime.h"
#include "sys/scratch_directory.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/thread_pool.hpp>

namespace boost::asio {
class io_context;
}

namespace stack::engine {

class Watch;

class RealEngine final : public Engine {
  public:
    RealEngine(boost::asio::io_context& loop, const Paths& paths);
    ~RealEngine() override;
    RealEngine(const RealEngine&) = delete;
    RealEngine& operator=(const RealEngine&) = delete;

    Observed observe(const Stack& desired, const ObserveOptions& options) override;
    void perform(const Action& action, const EventSink& events, Done done) override;

    void set_environment(StringMap variables) override { environment_ = std::move(variables); }

    void give_up_work() override;
    Strings port_conflicts(const Stack& desired, const Observed& observed) override;
    void probe(const std::string& container_id, const Healthcheck& check, ProbeDone done) override;
    void run_hook(const std::string& container, const Hook& hook, ProbeDone done) override;
    void set_health(const std::string& container_id,
                    Health health,
                    int failing_streak,
                    const HealthResult& latest) override;
    void count_restart(const std::string& container_id) override;
    std::optional<Healthcheck> healthcheck(const std::string& container_id) override;
    void publish_names(const Stack& desired, const Observed& observed) override;
    void reconcile() override;
    void on_change(std::function<void()> wake) override;

  private:
    void begin(const PullImage& action, const EventSink& events, Done done);
    void begin(const BuildImage& action, const EventSink& events, Done done);
    void begin(const CreateNetwork& action, const EventSink& events, Done done);
    void begin(const RemoveNetwork& action, const EventSink& events, Done done);
    void begin(const CreateVolume& action, const EventSink& events, Done done);
    void begin(const RemoveVolume& action, const EventSink& events, Done done);
    void begin(const CreateContainer& action, const EventSink& events, Done done);
    void begin(const StartContainer& action, const EventSink& events, Done done);
    void begin(const StopContainer& action, const EventSink& events, Done done);
    void begin(const KillContainer& action, const EventSink& events, Done done);
    void begin(const PauseContainer& action, const EventSink& events, Done done);
    void begin(const RemoveContainer& action, const EventSink& events, Done done);
    void begin(const UpdateContainer& action, const EventSink& events, Done done);
    void begin(const AwaitHealthy& action, const EventSink& events, Done done);
    void begin(const AwaitCompleted& action, const EventSink& events, Done done);

    /// Reads what a worker says (read_worker()), which give_up_work() ends.
    void read_work(sys::Child worker,
                   sys::Fd output,
                   std::function<void(const std::string&)> on_line,
                   std::function<void(int)> on_end);
    /// Calls `done` from the loop.
    void complete(Done done, Outcome outcome);
    /// Does bulk work beside the loop, then calls `done` from the loop. `work` touches nothing that
    /// the loop touches, and throws nothing.
    void offload(std::function<void()> work, Done done);
    /// Deletes files beside the loop, where there are any, then calls `done` from the loop.
    void remove_beside(std::optional<sys::ScratchDirectory> files, Done done);
    /// Wakes the supervisor when the container ends; settles it first.
    void watch(const std::string& id);
    /// Keeps the container's network namespace until its network is removed, or it comes back.
    void keep_network(const std::string& id);
    /// Runtime::settle(), where there is somebody to look again.
    void settle(const std::string& id);
    void link_anew(const std::string& id);
    /// All that are on a network: the project's as observed, others as they are now.
    [[nodiscard]] std::vector<ObservedContainer> containers_on(const std::string& network,
                                                               const std::string& project,
                                                               const Observed& observed) const;
    /// publish_names() for the networks of one owner; "": those of no project.
    void publish_names_of(const std::string& owner,
                          const std::string& project,
                          const Observed& observed);
    /// Wakes the supervisor when the name service of an owner ends: names are to be published
    /// again.
    void watch_names(const std::string& owner);
    [[nodiscard]] runtime::ImageView image_view(const std::string& reference) const;

    boost::asio::io_context& loop_;
    Paths paths_;
    cgroup::Cgroups cgroups_;
    network::Networks networks_;
    runtime::Runtime runtime_;
    image::Store store_;
    std::map<std::string, std::unique_ptr<Watch>> watches_;
    std::map<std::string, std::unique_ptr<Watch>> name_watches_;  // by owner
    std::map<std::string, std::chrono::steady_clock::time_point> name_ends_;
    StringMap environment_;           // set_environment()
    std::map<int, sys::Fd> workers_;  // pulls and builds under way: pidfds by pid
    /// Of containers that are stopped for good. The kernel takes a namespace apart in its own time,
    /// and whoever wants the links' lock, as the removal of a network does, waits for that
    /// meanwhile.
    std::vector<sys::Fd> network_namespaces_;
    std::function<void()> wake_ = [] {};
    std::unique_ptr<boost::asio::thread_pool> bulk_;  // last: ends before what its work completes
};

}  // namespace stack::engine
