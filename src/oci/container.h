#pragma once

// The operations of the runtime-spec, and what runtimes have beside them.

#include "engine/cgroup/cgroup.h"
#include "oci/record.h"
#include "sys/process.h"

#include <functional>
#include <string>

namespace stack::oci {

struct CreateOptions {
    std::string id;
    std::string bundle;  // a directory
    std::string pid_file;
    std::string console_socket;
    std::uint32_t preserved = 0;  // descriptors from 3 on
    bool detached = true;         // nobody waits here for its end
    bool is_kept = false;         // run: its record stays when it has ended
};

struct ExecOptions {
    std::string id;
    Strings command;
    std::string process_file;  // instead of the command and what follows
    Strings environment;
    std::string working_dir;
    std::string user;
    Strings groups;
    Strings capabilities;
    bool tty = false;
    bool no_new_privileges = false;
    std::string pid_file;
    std::string console_socket;
    std::uint32_t preserved = 0;
    bool detached = false;
};

/// A command that did not begin, with the status that a shell gives for that.
class ExecFault : public Error {
  public:
    ExecFault(const Error& error, int status) : Error(error), status_(status) {}

    [[nodiscard]] int status() const { return status_; }

  private:
    int status_;
};

class Containers {
  public:
    using Warn = std::function<void(const std::string&)>;

    Containers(const std::string& root, Warn warn) : records_(root), warn_(std::move(warn)) {}

    /// Postcondition: the container is created. Where that fails nothing is left of it.
    void create(const CreateOptions& options);
    void start(const std::string& id);
    /// create(), start() and, unless it is detached, its end: the status as a shell has it.
    [[nodiscard]] int run(const CreateOptions& options);
    [[nodiscard]] int exec(const ExecOptions& options);

    void kill(const std::string& id, int signal, bool all);
    /// Postcondition: nothing is left of the container.
    void remove(const std::string& id, bool force);
    void pause(const std::string& id, bool paused);
    /// Its limits are changed by these, as linux.resources has them.
    void update(const std::string& id, const Json& resources);

    [[nodiscard]] Json state(const std::string& id) const;
    /// Every container's.
    [[nodiscard]] std::vector<Json> states() const;
    [[nodiscard]] std::vector<int> processes(const std::string& id) const;

  private:
    struct Creation;

    [[nodiscard]] shim::JoinSpec join_spec(const ExecOptions& options, const Record& record) const;
    [[nodiscard]] sys::Child make(const CreateOptions& options);
    [[nodiscard]] Creation begin(const CreateOptions& options,
                                 const Record& record,
                                 const Bundle& bundle,
                                 const sys::Fd& console);
    [[nodiscard]] shim::Spec place(const Bundle& bundle, const std::string& group);
    [[nodiscard]] cgroup::Placement limit(const Bundle& bundle, const std::string& group) const;
    void finish(Creation& creation, const CreateOptions& options);
    void follow(Creation& creation);
    void run_host_hooks(const Creation& creation, const char* name) const;
    void run_late_hooks(const Bundle& bundle, const char* name, const Json& state) const;
    void discard(const Record& record, const Bundle& bundle);
    void warn_all(const Strings& warnings) const;

    Records records_;
    cgroup::Cgroups cgroups_;
    Warn warn_;
};

}  // namespace stack::oci
