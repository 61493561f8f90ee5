// A further process in a container that runs.

#include "base/text.h"
#include "engine/runtime/helper.h"
#include "oci/container.h"
#include "oci/helper_link.h"
#include "oci/process.h"
#include "oci/seccomp.h"
#include "sys/file.h"

namespace stack::oci {
namespace {

// The helper's descriptors (shim/main.cpp).
constexpr int process_fd = 4;
constexpr int report_fd = 5;
constexpr int console_fd = 6;

Json read_process(const std::string& file) {
    const auto text = sys::read_file(file);
    Json process = Json::parse(text.value_or(""), nullptr, false);
    if (!process.is_object())
        throw Error(file + " has no process as config.json has one");
    return process;
}

void set_user(const ExecOptions& options, Json& process) {
    if (!options.user.empty()) {
        const auto [uid, gid] = split_once(options.user, ':');
        const auto uid_number = parse_number<std::uint32_t>(uid);
        const auto gid_number = parse_number<std::uint32_t>(gid);
        if (!uid_number || !(gid_number || gid.empty()))
            throw Error("\"" + options.user + "\" is not UID[:GID]");
        process["user"]["uid"] = *uid_number;
        if (gid_number)
            process["user"]["gid"] = *gid_number;
    }
    for (const auto& group : options.groups) {
        const auto number = parse_number<std::uint32_t>(group);
        if (!number)
            throw Error("\"" + group + "\" is not a number of a group");
        process["user"]["additionalGids"].push_back(*number);
    }
}

void add_capabilities(const Strings& names, Json& process) {
    for (const auto* set : {"bounding", "effective", "permitted"})
        for (const auto& name : names)
            process["capabilities"][set].push_back(name);
}

/// The container's own process, with what the command line says.
Json process_of(const ExecOptions& options, const Bundle& bundle) {
    Json process = field(bundle.config, "process");
    if (!options.process_file.empty()) {
        Json given = read_process(options.process_file);
        if (field(given, "capabilities").is_null() && process.contains("capabilities"))
            given["capabilities"] = process["capabilities"];
        return given;
    }
    process["args"] = options.command;
    process["terminal"] = options.tty;
    for (const auto& variable : options.environment)
        process["env"].push_back(variable);
    if (!options.working_dir.empty())
        process["cwd"] = options.working_dir;
    if (options.no_new_privileges)
        process["noNewPrivileges"] = true;
    set_user(options, process);
    add_capabilities(options.capabilities, process);
    return process;
}

}  // namespace

shim::JoinSpec Containers::join_spec(const ExecOptions& options, const Record& record) const {
    const Bundle bundle = records_.read_bundle(record);
    Strings warnings;
    shim::JoinSpec spec;
    spec.process = process_for(process_of(options, bundle), warnings);
    const Json& linux_part = field(bundle.config, "linux");
    spec.process.seccomp = filter_for(field(linux_part, "seccomp"), warnings);
    warn_all(warnings);
    const auto placement = cgroups_.placement_beside(record.group, record.pid);
    spec.attach_files = placement.attach_files;
    spec.v2_directory = placement.v2_directory;
    for (const auto& one : field(linux_part, "namespaces"))
        if (text_of(one, "type") == "user")
            spec.joins_user = 1;
    spec.detached = options.detached ? 1 : 0;
    spec.report = report_fd;
    spec.owns_streams = 1;
    spec.preserved = options.preserved;
    spec.first_preserved = first_preserved;
    return spec;
}

int Containers::exec(const ExecOptions& options) {
    check_preserved(options.preserved);
    const Record record = records_.read(options.id);
    const Status status = records_.status(record, cgroups_);
    const sys::Fd process = oci::process_of(record);
    if (!process || (status != Status::running && status != Status::created))
        throw Error("container " + record.id + " is " + text_of(status) +
                    ": no process can be added to it");
    shim::JoinSpec spec = join_spec(options, record);
    check_terminal(spec.process.terminal != 0, options.detached, options.console_socket);
    const sys::Fd console = connect_console(options.console_socket);
    spec.console = console ? console_fd : 0;
    sys::Pipe report = sys::make_pipe();
    std::vector<std::pair<int, int>> descriptors{{process.get(), process_fd},
                                                 {report.write.get(), report_fd}};
    if (console)
        descriptors.emplace_back(console.get(), console_fd);
    add_preserved(options.preserved, descriptors);
    const auto helper = runtime::start_helper(
        "join", shim::encode(spec), std::move(descriptors), !options.detached);
    report.write.reset();
    Lines answer(std::move(report.read));
    while (const auto line = answer.next())
        write_pid_file(options.pid_file,
                       parse_number<int>(split_once(*line, ' ').second).value_or(0));
    const int result = wait_and_relay(helper);
    if (!answer.rest().empty())
        throw ExecFault(fault("exec in container " + record.id, answer.rest()),
                        parse_number<int>(split_once(answer.rest(), ' ').first).value_or(result));
    return result;
}

}  // namespace stack::oci
