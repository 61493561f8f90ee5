#pragma once

// A container's life: from a description and an image to a process, and to what is left when it has
// ended.
//
//   <state>/containers/<id>/config.json   ContainerRecord, durable: all that a start needs
//   <state>/containers/<id>/upper, work   the writable layer
//   <state>/containers/<id>/log, log.1 …  output, bounded (20 MiB x 5), one line each:
//                                         `<RFC 3339 ns> stdout|stderr F|P <text>`
//   <state>/containers/<id>/life.json     restarts, whether a person stopped it, the last exit
//   <state>/containers/<id>/hosts …       /etc/hosts, hostname and resolv.conf of the container
//   <run>/containers/<id>/live.json       pids and start times of shim and init, boot id
//   <run>/containers/<id>/exit.json       by the shim, whole, before it ends: code, signal, time
//   <run>/containers/<id>/health.json     last words of the health check; of the run before, in
//                                         <state>/containers/<id>
//   <run>/containers/<id>/attach.sock     the shim's, for those who attach (shim/frame.h)
//
// The kernel and these files are the truth; nothing here remembers.

#include <stack/observed.h>
#include <stack/paths.h>
#include <stack/plan.h>

#include "engine/cgroup/cgroup.h"
#include "engine/network/networks.h"
#include "engine/runtime/stillness.h"
#include "engine/runtime/view.h"
#include "model/image.h"
#include "shim/spec.h"
#include "sys/lock.h"
#include "sys/process.h"
#include "sys/scratch_directory.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace stack::model {
struct VolumesFrom;
}

namespace stack::runtime {

struct Live;

/// What a container needs of its image.
struct ImageView {
    std::string id;
    ImageConfig config;
    Strings lowers;  // overlay lower directories, topmost first
};

/// An image that a container mounts.
struct MountedImage {
    std::string id;
    Strings lowers;  // as of an ImageView

    bool operator==(const MountedImage&) const = default;
};

using MountedImages = std::map<std::string, MountedImage>;  // by the sources of mounts

/// A container on disk.
struct ContainerRecord {
    std::string id;
    ContainerSpec spec;
    ImageView image;
    MountedImages mounted;
    std::vector<network::PublishedPort> ports;  // with random ones decided
    Strings command;                            // entrypoint and command together
    std::vector<Mount> mounts;                  // resolved; anonymous volumes by name
    std::uint32_t first_user = 0;  // of its range of the host's ids (user_range.h); 0: it has none
    Time created{};
};

/// A record as it was when it was asked for, which many may look at; null: there is none.
using ContainerRecordPtr = std::shared_ptr<const ContainerRecord>;

[[nodiscard]] StringMap ids_of(const MountedImages& mounted);

[[nodiscard]] bool mounts_volume(const ContainerRecord& record, const std::string& volume);

/// A shim that was started and has not yet said how the start went.
struct Starting {
    std::string id;
    sys::Child shim;
    sys::Fd status;    // readable, then end of file: read it all and give it to finish_start()
    Strings warnings;  // what of its description the kernel cannot do
};

/// A command that runs inside a container for us (health check, hook).
struct Probe {
    sys::Child helper;
    sys::Fd output;
};

struct ExecOptions {
    Strings command;
    std::map<std::string, std::string> environment;
    std::string user;
    std::string working_dir;
    bool tty = false;
    bool stdin_open = false;
    bool privileged = false;
};

/// What is known of a container's health.
struct HealthRecord {
    Health health = Health::none;
    int failing_streak = 0;
    std::vector<HealthResult> log;  // the last five runs of its check, oldest first
};

/// What a running container has used since its start, and uses now.
struct Consumption {
    cgroup::Usage group;
    std::int64_t memory_limit = 0;    // its own, or all that the machine has
    std::int64_t received_bytes = 0;  // on its networks
    std::int64_t sent_bytes = 0;
};

/// Who wants a container started: a person, a person whose client the program waits for, or its
/// restart policy.
enum class Starter { person, client, policy };

class Records;
struct Places;

class Runtime {
  public:
    Runtime(const Paths& paths, const cgroup::Cgroups& cgroups, network::Networks& networks);
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    /// Postcondition: a container of this name, configuration digest and images exists, a new one
    /// where it is a command's; returns its id. Ports that ask for a free one are decided here.
    /// Throws where the name belongs to another container.
    std::string create(const ContainerSpec& spec,
                       const ImageView& image,
                       const MountedImages& mounted = {});

    /// Begins a start: directories, cgroup, leases, ports, shim. The rest happens in the shim. The
    /// program waits for a client where its description or its starter says so. Throws where its
    /// policy starts what a person has stopped since this boot.
    [[nodiscard]] Starting start(const std::string& id, Starter starter = Starter::person);
    /// Takes what the shim said. Throws stack::Error with its sentence where the start failed;
    /// everything that the start made is gone then.
    void finish_start(const Starting& starting, const std::string& status);

    /// Sends `asked`, or else the container's stop signal, and notes that a person wanted it.
    /// Returns the time to wait before kill(); zero: that was the end of it, whether it was asked
    /// for at once or nobody there would have heard the signal.
    Duration begin_stop(const std::string& id,
                        std::optional<Duration> timeout,
                        std::optional<int> asked,
                        Strings& warnings);
    /// Held from before a stop until after the start that follows it: whoever removes a container
    /// at its end leaves this one alone meanwhile, and does so again when the holder dies. Waits
    /// for another restart of it. Throws where it does not exist.
    [[nodiscard]] sys::Lock hold_for_restart(const std::string& id) const;
    /// What ends it as a person wants it, SIGKILL or its stop signal, is noted as a stop first.
    void signal(const std::string& id, int signal);
    /// SIGKILL to everything in the container.
    void kill(const std::string& id);
    void pause(const std::string& id, bool paused);
    /// Freezes a container that runs, and is not paused, for as long as the result lives.
    [[nodiscard]] Stillness hold_still(const std::string& id);
    /// Postcondition: limits, restart policy and networks of the container are the service's, at
    /// once where it runs.
    void update(const std::string& id, const Service& service, const std::string& config_digest);
    /// Postcondition: one that runs has a link for each address that it has in a bridge: somebody
    /// may have deleted one.
    void link_anew(const std::string& id);
    /// Postcondition: the container is in these networks as they say, one that runs at once. A
    /// network whose attachment stays keeps its interface and addresses.
    void rewire(const std::string& id, const std::map<std::string, NetworkAttachment>& networks);
    /// The same, where what they are to be depends on what they are. What `change` throws passes.
    void rewire(const std::string& id,
                const std::function<void(std::map<std::string, NetworkAttachment>&)>& change);
    /// Throws where the name is not allowed or belongs to another container. One that runs keeps
    /// the name it was started with in what it sees of itself.
    void rename(const std::string& id, const std::string& name);

    /// Postcondition: nothing of the container is left: cgroup, leases, rules; its files lie in
    /// what is returned, and go with it: they may be many. Named volumes stay. Throws where it
    /// runs: whoever stops first gives it its grace period.
    std::optional<sys::ScratchDirectory> remove(const std::string& id, bool anonymous_volumes);

    /// After a container's end: cgroup, rules and run-time files that need not be kept go; the exit
    /// moves to life.json. Idempotent; called by whoever sees the end. Leaves alone what others are
    /// starting or settling.
    void settle(const std::string& id);

    /// Takes away what makers, removers and build steps that were killed have left, and ends what
    /// runs of containers without a record of it.
    void sweep();

    [[nodiscard]] std::vector<std::string> list() const;
    /// The ids of those whose records are damaged. All that can be done with them is to remove().
    [[nodiscard]] Strings damaged() const;
    [[nodiscard]] ContainerRecordPtr find(const std::string& id_or_name) const;
    [[nodiscard]] std::optional<ObservedContainer> observe(const std::string& id) const;
    [[nodiscard]] std::vector<ObservedContainer> observe_project(const std::string& project) const;

    /// Readable when the container's shim has ended; without a shim, when its init has. nullopt:
    /// nothing runs.
    [[nodiscard]] std::optional<sys::Fd> watch(const std::string& id) const;

    /// The network namespace of a running container, which lasts as long as the descriptor; none of
    /// one that does not run.
    [[nodiscard]] sys::Fd network_namespace(const std::string& id) const;

    /// A connection to the container's shim, non-blocking, that speaks as shim/frame.h says; none
    /// where there is no shim to answer.
    [[nodiscard]] sys::Fd attach(const std::string& id) const;
    /// Postcondition: the end that a client was told of is there for everyone to see, or a while
    /// has passed.
    void await_end(const std::string& id) const;

    /// Runs a command inside, with the container's own isolation, its output in a pipe (for health
    /// checks).
    [[nodiscard]] Probe probe(const std::string& id, const ExecOptions& options);
    /// Runs a command inside that nobody waits for; what it prints is nowhere.
    void exec_detached(const std::string& id, const ExecOptions& options);
    /// Runs a command inside, with pipes to which and from which a helper copies this process's
    /// standard streams, or with a terminal of the container's own when options.tty; returns its
    /// status. 126 and 127 as a shell has them. What the command leaves behind and still holds its
    /// pipes is heard two seconds more.
    int exec(const std::string& id, const ExecOptions& options);

    /// The container's files as its processes see them: through its own mount namespace while it
    /// runs, mounted for the purpose while it does not (tmpfs mounts are empty then).
    [[nodiscard]] View view(const std::string& id);

    void set_health(const std::string& id,
                    Health health,
                    int failing_streak,
                    const HealthResult& latest);
    /// Of its last run, where it does not run.
    [[nodiscard]] HealthRecord health(const std::string& id) const;
    /// The health check that applies: the service's merged over the image's; nullopt when there is
    /// none.
    [[nodiscard]] std::optional<Healthcheck> healthcheck(const std::string& id) const;

    /// storage::remove_volume(), where no container mounts it; throws otherwise.
    [[nodiscard]] std::optional<sys::ScratchDirectory> remove_volume(const std::string& name);

    /// Counts a restart by policy (restarts, in life.json), or forgets them after a person's start.
    void count_restart(const std::string& id);

    /// Why its last start failed; empty where it did not.
    [[nodiscard]] std::string start_error(const std::string& id) const;

    [[nodiscard]] std::string log_path(const std::string& id) const;
    /// The writable layer, in overlayfs form: what differs from the image. Empty before its first
    /// start.
    [[nodiscard]] std::string upper_directory(const std::string& id) const;
    /// Pids, in the host's numbering, of all that runs in the container.
    [[nodiscard]] std::vector<int> processes(const std::string& id) const;
    /// The single files bound into it, by their sources, in whose place another one lies by now:
    /// what runs keeps the one it was given. None of a container that does not run.
    [[nodiscard]] Strings replaced_files(const ObservedContainer& container) const;
    /// nullopt where it does not run.
    [[nodiscard]] std::optional<Consumption> consumption(const std::string& id) const;

  private:
    [[nodiscard]] ContainerRecordPtr require(const std::string& id) const;
    [[nodiscard]] ObservedContainer look_at(const ContainerRecordPtr& held) const;
    /// All that a start needs before its shim is there. What a throw leaves is for the caller to
    /// clear.
    [[nodiscard]] shim::Spec prepare(const ContainerRecord& record,
                                     const Places& places,
                                     Starter starter,
                                     Strings& warnings);
    [[nodiscard]] std::vector<network::Endpoint> connect(const ContainerRecord& record);
    [[nodiscard]] bool is_wired(const ContainerRecord& record,
                                const std::map<std::string, NetworkAttachment>& networks) const;
    void rewire_running(const ContainerRecord& record,
                        int pid,
                        const Strings& gone,
                        const std::string& published);
    void change_record(const std::string& id, const std::function<void(ContainerRecord&)>& change);
    [[nodiscard]] bool is_mounted_by_another(const std::string& volume,
                                             const std::string& id) const;
    /// The container that an entry of the container's volumes_from means. Throws where there is
    /// none.
    [[nodiscard]] ContainerRecordPtr volume_lender(const ContainerSpec& spec,
                                                   const model::VolumesFrom& from) const;
    /// The volumes and binds of those in volumes_from, the last one's first, made and filled.
    [[nodiscard]] std::vector<Mount> lent_mounts(const ContainerSpec& spec);
    /// Containers by their names, for sentences.
    [[nodiscard]] network::TitleOf titles() const;
    /// The ranges of users of all containers that have one.
    [[nodiscard]] std::set<std::uint32_t> user_ranges() const;
    /// The ports of the host that other containers have, or are to have when they start; none where
    /// the record's own are all given.
    [[nodiscard]] std::vector<network::PublishedPort> ports_of_others(
        const ContainerRecord& record) const;
    /// Postcondition: the ports that are chosen for it, not given, are free; on record.
    void renew_ports(ContainerRecord& record) const;
    void prepare_volumes(const ContainerRecord& record);
    void clear_run(const std::string& id);
    void end_run(const Places& places, const std::optional<Live>& live);
    [[nodiscard]] bool is_lost(const Places& places) const;
    void end_lost_runs();
    void check_name(const std::string& name) const;
    [[nodiscard]] shim::Spec describe(const ContainerRecord& record,
                                      const std::vector<network::Endpoint>& endpoints);
    void describe_files(const ContainerRecord& record, shim::Spec& spec) const;
    [[nodiscard]] Users users_of(const ContainerRecord& record, const sys::Fd& process) const;
    [[nodiscard]] View view_at_rest(const ContainerRecord& record, sys::Lock lock);
    [[nodiscard]] shim::MountSpec volume_mount(const ContainerRecord& record,
                                               const Mount& mount) const;
    /// The running container that `mode` (service:NAME, container:NAME) means.
    [[nodiscard]] std::optional<std::string> lender_of(const ContainerRecord& record,
                                                       const std::string& mode) const;
    [[nodiscard]] shim::JoinSpec join_spec(const ContainerRecord& record,
                                           const ExecOptions& options) const;
    [[nodiscard]] sys::Fd init_process(const std::string& id) const;

    Paths paths_;
    const cgroup::Cgroups& cgroups_;
    network::Networks& networks_;
    std::unique_ptr<Records> records_;
};

/// Layers that a step sees in a place, as a whole or a part of them.
struct LayerTree {
    Strings lowers;     // topmost first
    std::string upper;  // where writes go; empty: it is read-only
    std::string work;
    std::string part;  // the path in it of a directory or file; empty: the whole
};

/// One command in a throw-away container: a step of a build. Its root is `lowers` with `upper` on
/// top; nothing of it is kept but what it wrote to `upper`.
struct StepSpec {
    std::string name;  // for messages and the cgroup
    Strings lowers;    // topmost first
    std::string upper;
    std::string work;
    Strings command;
    Strings environment;
    std::string user;
    std::string working_dir;
    std::vector<Mount> mounts;               // bind, tmpfs, and image: one of `trees`
    std::map<std::string, LayerTree> trees;  // by the source of their mounts
    std::string network;                     // "default", "none", "host"
    std::map<std::string, Strings> extra_hosts;
    std::optional<Bytes> shm_size;
    std::map<std::string, Ulimit> ulimits;
};

/// Runs the step to its end; `output` receives its standard output and error as they come. Returns
/// its status. A request to `stop` kills it; one that comes while it is being started may not.
int run_step(const Paths& paths,
             const cgroup::Cgroups& cgroups,
             network::Networks& networks,
             const StepSpec& step,
             const std::function<void(std::string_view)>& output,
             const std::stop_token& stop);

/// What steps that were killed have left goes.
void sweep_steps(const Paths& paths, const cgroup::Cgroups& cgroups, network::Networks& networks);

}  // namespace stack::runtime
