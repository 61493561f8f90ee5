// Commands inside running containers, and the way to their own streams.

#include <stack/error.h>

#include "base/failpoint.h"
#include "engine/runtime/helper.h"
#include "engine/runtime/process.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "engine/runtime/seccomp.h"
#include "sys/file.h"
#include "sys/socket_path.h"

#include <algorithm>

#include <fcntl.h>

namespace stack::runtime {

shim::JoinSpec Runtime::join_spec(const ContainerRecord& record, const ExecOptions& options) const {
    const Service& service = record.spec.service;
    shim::JoinSpec spec;
    spec.process = process_for(record);
    spec.process.arguments = options.command;
    const auto set = [&](const std::string& name, const std::string& value) {
        std::erase_if(spec.process.environment, [&, key = name + "="](const std::string& entry) {
            return entry.starts_with(key);
        });
        spec.process.environment.push_back(name + "=" + value);
    };
    if (options.tty)
        set("TERM", "xterm");
    for (const auto& [name, value] : options.environment)
        set(name, value);
    if (!options.user.empty())
        spec.process.user = options.user;
    if (!options.working_dir.empty())
        spec.process.working_dir = options.working_dir;
    spec.process.terminal = options.tty ? 1 : 0;
    spec.process.oom_score_adj = 0;
    spec.joins_user = record.first_user != 0 ? 1 : 0;
    spec.root_id = record.first_user;
    if (options.privileged || service.privileged)
        spec.process.capabilities = ~std::uint64_t{0};
    if (!options.privileged)
        spec.process.seccomp = filter_for(paths_, service, spec.process.capabilities);
    const Places places = places_of(paths_, record.id);
    const auto live = read_live(places);
    const auto placement = cgroups_.placement_beside(places.cgroup, live ? live->pid : 0);
    spec.attach_files = placement.attach_files;
    spec.v2_directory = placement.v2_directory;
    return spec;
}

sys::Fd Runtime::init_process(const std::string& id) const {
    const auto live = read_live(places_of(paths_, id));
    sys::Fd process = live ? sys::open_process(live->pid, live->pid_started) : sys::Fd();
    if (!process || sys::has_ended(process))
        throw Error(std::make_error_code(std::errc::no_such_process),
                    "container " + id + " does not run");
    return process;
}

sys::Fd Runtime::attach(const std::string& id) const {
    return sys::connect_to(sys::SocketPath(places_of(paths_, id).run, "attach.sock"));
}

void Runtime::await_end(const std::string& id) const {
    constexpr std::chrono::seconds patience{10};
    if (const auto running = watch(id))
        sys::wait_for_end(*running, patience);
}

Probe Runtime::probe(const std::string& id, const ExecOptions& options) {
    const auto found = require(id);
    const ContainerRecord& record = *found;
    const sys::Fd process = init_process(record.id);
    shim::JoinSpec spec = join_spec(record, options);
    spec.die_with_helper = 1;
    spec.owns_streams = 1;  // or /dev/stdout would be root's alone
    // With the container's rights and no fewer: a check that passes under Docker may use sudo.
    sys::Pipe output = sys::make_pipe();
    const sys::Fd null = sys::open_file("/dev/null", O_RDONLY);
    constexpr int process_fd = 4;
    Probe probe;
    probe.helper = start_helper("join",
                                shim::encode(spec),
                                {{null.get(), 0},
                                 {output.write.get(), 1},
                                 {output.write.get(), 2},
                                 {process.get(), process_fd}},
                                true);
    probe.output = std::move(output.read);
    return probe;
}

void Runtime::exec_detached(const std::string& id, const ExecOptions& options) {
    const auto found = require(id);
    const ContainerRecord& record = *found;
    const sys::Fd process = init_process(record.id);
    shim::JoinSpec spec = join_spec(record, options);
    spec.relays_streams = 1;
    const sys::Fd null = sys::open_file("/dev/null", O_RDWR);
    constexpr int process_fd = 4;
    static_cast<void>(start_helper(
        "join",
        shim::encode(spec),
        {{null.get(), 0}, {null.get(), 1}, {null.get(), 2}, {process.get(), process_fd}},
        true));
}

int Runtime::exec(const std::string& id, const ExecOptions& options) {
    const auto found = require(id);
    const ContainerRecord& record = *found;
    const sys::Fd process = init_process(record.id);
    shim::JoinSpec spec = join_spec(record, options);
    spec.die_with_helper = 1;
    spec.relays_streams = 1;
    spec.owns_streams = 1;
    constexpr int process_fd = 4;
    std::vector<std::pair<int, int>> descriptors{{process.get(), process_fd}};
    sys::Fd null;
    if (!options.stdin_open) {
        null = sys::open_file("/dev/null", O_RDONLY);
        descriptors.emplace_back(null.get(), 0);
    }
    return sys::wait(start_helper("join", shim::encode(spec), std::move(descriptors), false));
}

}  // namespace stack::runtime
