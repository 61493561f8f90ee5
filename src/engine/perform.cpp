// One action at a time: the doing half of the engine.

#include "base/signals.h"
#include "engine/build/build.h"
#include "engine/image/fetch.h"
#include "engine/real_engine.h"
#include "engine/storage/volumes.h"
#include "engine/watch.h"
#include "engine/worker.h"
#include "model/codec.h"
#include "sys/file.h"
#include "sys/limits.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace stack::engine {
namespace {

namespace asio = boost::asio;

/// How long a container may take to vanish after SIGKILL (a process in uninterruptible sleep can
/// outlast any).
constexpr std::chrono::seconds kill_patience{10};

/// Waits for the end of one container; kills it when its grace period is over. None: it has been.
class Stopping : public std::enable_shared_from_this<Stopping> {
  public:
    Stopping(asio::io_context& loop, std::string name, std::function<void()> kill, Done done)
        : timer_(loop), name_(std::move(name)), kill_(std::move(kill)), done_(std::move(done)) {}

    void begin(asio::io_context& loop, sys::Fd pidfd, Duration grace) {
        watch_ = std::make_unique<Watch>(loop, std::move(pidfd), [self = shared_from_this()] {
            self->timer_.cancel();
            self->finish(std::nullopt);
        });
        if (grace == Duration::zero())
            await_death();
        else
            wait(grace, [this] {
                kill_();
                await_death();
            });
    }

  private:
    void await_death() {
        wait(kill_patience, [this] {
            finish(Error(std::make_error_code(std::errc::timed_out),
                         "container " + name_ +
                             " did not end within 10 s of SIGKILL: one of its processes is stuck "
                             "in the kernel (see `stack top`); try again when its device answers"));
        });
    }

    void wait(Duration time, std::function<void()> then) {
        timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(time));
        timer_.async_wait(
            [self = shared_from_this(), then = std::move(then)](boost::system::error_code error) {
                if (!error)
                    then();
            });
    }

    void finish(Outcome outcome) {
        if (!done_)
            return;
        const Done done = std::exchange(done_, nullptr);
        watch_.reset();  // breaks the circle of this object and its own callbacks
        done(std::move(outcome));
    }

    asio::steady_timer timer_;
    std::unique_ptr<Watch> watch_;
    std::string name_;
    std::function<void()> kill_;
    Done done_;
};

/// Passes a worker's events on and remembers its last word.
struct WorkerResult {
    std::string id;
    std::string error;
};

Outcome outcome_of(const WorkerResult& result, int status, const std::string& what) {
    if (!result.id.empty())
        return std::nullopt;
    if (!result.error.empty())
        return Error(std::make_error_code(std::errc::io_error), result.error);
    return Error(std::make_error_code(std::errc::io_error),
                 what + ": the worker died with status " + std::to_string(status) +
                     " before it had a result");
}

storage::VolumeRecord record_of(const CreateVolume& action) {
    storage::VolumeRecord record;
    record.name = action.volume.name;
    record.project = action.project;
    record.key = action.volume.key;
    record.config_digest = action.config_digest;
    record.driver = action.volume.driver;
    record.driver_opts = action.volume.driver_opts;
    record.labels = action.volume.labels;
    return record;
}

void warn(const EventSink& events, const std::string& container, const Strings& warnings) {
    for (const auto& warning : warnings)
        events({.id = "Container " + container,
                .status = EventStatus::warning,
                .text = "Warning",
                .detail = warning});
}

int require_signal(const std::string& name) {
    const auto signal = parse_signal(name);
    if (!signal)
        throw Error("unknown signal " + name);
    return *signal;
}

}  // namespace

void RealEngine::perform(const Action& action, const EventSink& events, Done done) {
    try {
        std::visit([&](const auto& one) { begin(one, events, done); }, action);
    } catch (const Error& error) {
        complete(std::move(done), error);
    }
}

void RealEngine::complete(Done done, Outcome outcome) {
    asio::post(loop_, [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
}

void RealEngine::offload(std::function<void()> work, Done done) {
    if (!bulk_) {
        try {
            bulk_ = std::make_unique<asio::thread_pool>(1);
        } catch (const boost::system::system_error& error) {
            throw Error(error.code(), std::string("make a thread") + sys::no_more_processes);
        }
    }
    asio::post(*bulk_,
               [this,
                work = std::move(work),
                done = std::move(done),
                guard = asio::make_work_guard(loop_)]() mutable {
                   work();
                   complete(std::move(done), std::nullopt);
               });
}

void RealEngine::remove_beside(std::optional<sys::ScratchDirectory> files, Done done) {
    if (!files) {
        complete(std::move(done), std::nullopt);
        return;
    }
    auto trash = std::make_shared<std::optional<sys::ScratchDirectory>>(std::move(files));
    offload([trash] { trash->reset(); }, std::move(done));
}

void RealEngine::begin(const PullImage& action, const EventSink& events, Done done) {
    auto fetch = image::start_pull(paths_, action.reference, action.platform, 0, environment_);
    auto result = std::make_shared<WorkerResult>();
    auto on_line = [result, events](const std::string& line) {
        auto parsed = image::parse_line(line);
        if (parsed.event)
            events(*parsed.event);
        if (!parsed.id.empty())
            result->id = parsed.id;
        if (!parsed.error.empty())
            result->error = parsed.error;
    };
    auto on_end = [result, done, reference = action.reference](int status) {
        done(outcome_of(*result, status, "pull " + reference));
    };
    read_work(
        std::move(fetch.worker), std::move(fetch.output), std::move(on_line), std::move(on_end));
}

void RealEngine::begin(const BuildImage& action, const EventSink& events, Done done) {
    model::Json request = {{"name", action.service},
                           {"tag", action.tag},
                           {"build", model::encode(*action.build)},
                           {"source_digest", action.source_digest},
                           {"no_cache", action.no_cache},
                           {"pull", action.pull}};
    const sys::Fd input = sys::memory_file("build-request", request.dump());
    sys::Pipe output = sys::make_pipe();
    sys::SpawnOptions options;
    options.arguments = {"stack", "--root", paths_.state, "build-worker"};
    options.descriptors = {{output.write.get(), 1}, {input.get(), 3}};
    options.new_session = true;  // a Ctrl-C at the terminal is the client's business
    if (!environment_.empty())
        options.environment = sys::environment_strings(environment_);
    auto worker = sys::spawn(sys::own_program(), options);
    output.write.reset();
    auto result = std::make_shared<WorkerResult>();
    auto on_line = [result, events](const std::string& line) {
        const auto json = model::Json::parse(line, nullptr, false);
        if (json.is_object() && json.contains("result"))
            result->id = json["result"].value("id", "");
        else if (json.is_object() && json.contains("error"))
            result->error = json.value("error", "");
        else if (json.is_object())
            events([&] {
                Event event;
                model::decode(json, event);
                return event;
            }());
    };
    auto on_end = [result, done, tag = action.tag](int status) {
        done(outcome_of(*result, status, "build " + tag));
    };
    read_work(std::move(worker), std::move(output.read), std::move(on_line), std::move(on_end));
}

void RealEngine::read_work(sys::Child worker,
                           sys::Fd output,
                           std::function<void(const std::string&)> on_line,
                           std::function<void(int)> on_end) {
    const int pid = worker.pid;
    workers_[pid] = sys::duplicate(worker.pidfd);
    read_worker(loop_,
                std::move(worker),
                std::move(output),
                std::move(on_line),
                [this, pid, on_end = std::move(on_end)](int status) {
                    workers_.erase(pid);
                    on_end(status);
                });
}

void RealEngine::give_up_work() {
    for (const auto& [pid, pidfd] : workers_)
        sys::send_signal(pidfd, SIGTERM);
}

void RealEngine::begin(const CreateNetwork& action, const EventSink& /*events*/, Done done) {
    networks_.ensure(action.project, action.network, action.config_digest);
    complete(std::move(done), std::nullopt);
}

void RealEngine::keep_network(const std::string& id) {
    constexpr std::size_t most = 400;  // descriptors; those beyond cost the wait only
    if (network_namespaces_.size() < most)
        if (sys::Fd network = runtime_.network_namespace(id))
            network_namespaces_.push_back(std::move(network));
}

void RealEngine::begin(const RemoveNetwork& action, const EventSink& /*events*/, Done done) {
    const auto until_then = std::exchange(network_namespaces_, {});
    networks_.remove(action.name);
    complete(std::move(done), std::nullopt);
}

void RealEngine::begin(const CreateVolume& action, const EventSink& /*events*/, Done done) {
    storage::ensure_volume(paths_, record_of(action));
    complete(std::move(done), std::nullopt);
}

void RealEngine::begin(const RemoveVolume& action, const EventSink& /*events*/, Done done) {
    remove_beside(runtime_.remove_volume(action.name), std::move(done));
}

void RealEngine::begin(const CreateContainer& action, const EventSink& /*events*/, Done done) {
    image::Store store(paths_);  // what it holds stays until the container's record says the same
    const auto held_view = [&](const std::string& reference) {
        if (const auto image = store.find(reference))
            store.hold(image->layers);
        return image_view(reference);
    };
    runtime::MountedImages mounted;
    for (const auto& mount : action.spec->service.volumes)
        if (mount.type == MountType::image) {
            auto view = held_view(mount.source);
            mounted[mount.source] = {std::move(view.id), std::move(view.lowers)};
        }
    runtime_.create(*action.spec, held_view(action.spec->image), mounted);
    complete(std::move(done), std::nullopt);
}

void RealEngine::begin(const StartContainer& action, const EventSink& events, Done done) {
    const auto record = runtime_.find(action.name);
    if (!record)
        throw Error(std::make_error_code(std::errc::no_such_process),
                    "container " + action.name + " does not exist");
    if (runtime_.watch(record->id)) {  // it runs
        complete(std::move(done), std::nullopt);
        return;
    }
    network_namespaces_.clear();  // what is in one still answers to its address
    auto starting = std::make_shared<runtime::Starting>(runtime_.start(
        record->id, action.by_policy ? runtime::Starter::policy : runtime::Starter::person));
    warn(events, action.name, starting->warnings);
    // The shim lives as long as its container: what it says of the start is read here, not its end.
    read_to_end(
        loop_, std::move(starting->status), [this, starting, done](const std::string& status) {
            Outcome outcome;
            try {
                runtime_.finish_start(*starting, status);
                watch(starting->id);
            } catch (const Error& refused) {
                outcome = refused;
            }
            done(std::move(outcome));
        });
}

void RealEngine::begin(const StopContainer& action, const EventSink& events, Done done) {
    if (!runtime_.find(action.id)) {  // one that is removed at its end has ended meanwhile
        complete(std::move(done), std::nullopt);
        return;
    }
    if (action.network_goes)
        keep_network(action.id);
    Strings warnings;
    const auto signal =
        action.signal.empty() ? std::nullopt : std::optional(require_signal(action.signal));
    const Duration grace = runtime_.begin_stop(action.id, action.timeout, signal, warnings);
    warn(events, action.name, warnings);
    auto pidfd = runtime_.watch(action.id);
    if (!pidfd) {
        complete(std::move(done), std::nullopt);
        return;
    }
    // What comes next settles it: its removal, its start, or the look after the command.
    watches_.erase(action.id);
    auto stopping = std::make_shared<Stopping>(
        loop_, action.name, [this, id = action.id] { runtime_.kill(id); }, std::move(done));
    stopping->begin(loop_, std::move(*pidfd), grace);
}

void RealEngine::begin(const KillContainer& action, const EventSink& /*events*/, Done done) {
    runtime_.signal(action.id, require_signal(action.signal.empty() ? "KILL" : action.signal));
    complete(std::move(done), std::nullopt);
}

void RealEngine::begin(const PauseContainer& action, const EventSink& /*events*/, Done done) {
    runtime_.pause(action.id, action.paused);
    complete(std::move(done), std::nullopt);
}

void RealEngine::begin(const RemoveContainer& action, const EventSink& /*events*/, Done done) {
    auto files = runtime_.remove(action.id, action.anonymous_volumes);
    watches_.erase(action.id);
    remove_beside(std::move(files), std::move(done));
}

void RealEngine::begin(const UpdateContainer& action, const EventSink& /*events*/, Done done) {
    runtime_.update(action.id, *action.service, action.config_digest);
    complete(std::move(done), std::nullopt);
}

void RealEngine::begin(const AwaitHealthy& action, const EventSink& /*events*/, Done /*done*/) {
    throw Error("awaiting " + action.name + " is the supervisor's work, not the engine's");
}

void RealEngine::begin(const AwaitCompleted& action, const EventSink& /*events*/, Done /*done*/) {
    throw Error("awaiting " + action.name + " is the supervisor's work, not the engine's");
}

}  // namespace stack::engine
