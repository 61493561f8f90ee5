#pragma once

// What is written down of a container, and what the kernel says of it.
//
//   <root>/<id>/config.json  the bundle's, as it was when the container was created
//   <root>/<id>/state.json   Record
//   <root>/<id>/start.sock   who connects to it starts the container; gone when it was started
//   <root>/<id>/lock         held by who changes the container

#include "engine/cgroup/cgroup.h"
#include "oci/description.h"
#include "sys/fd.h"
#include "sys/lock.h"

#include <cstdint>
#include <optional>
#include <string>

namespace stack::oci {

enum class Status { creating, created, running, paused, stopped };

[[nodiscard]] const char* text_of(Status status);

struct Record {
    std::string id;
    std::string bundle;
    std::string group;
    std::string created;  // RFC 3339
    int pid = 0;          // 0: it has none yet
    std::uint64_t pid_started = 0;
    bool is_created = false;  // its creation is done
    bool owns_group = false;  // the group was made for it
    std::string boot_id;
};

/// The containers below one root directory.
class Records {
  public:
    explicit Records(std::string root) : root_(std::move(root)) {}

    /// Postcondition: the container has a place. Throws where there is one of this id, or it is
    /// none. The lock of the container is the caller's.
    [[nodiscard]] sys::Lock add(const Bundle& bundle, const Record& record) const;
    void refuse_taken(const std::string& id) const;
    void write(const Record& record) const;
    void write_config(const std::string& id, const Json& config) const;
    /// In one step: nobody sees a half of it.
    void remove(const std::string& id) const;

    /// Waits for others who change the container.
    [[nodiscard]] sys::Lock lock(const std::string& id) const;

    [[nodiscard]] bool has(const std::string& id) const;
    /// It is there, and cannot be read.
    [[nodiscard]] bool is_damaged(const std::string& id) const;
    /// Throws where there is none.
    [[nodiscard]] Record read(const std::string& id) const;
    [[nodiscard]] Bundle read_bundle(const Record& record) const;
    [[nodiscard]] Strings ids() const;

    [[nodiscard]] std::string place(const std::string& id) const { return root_ + "/" + id; }

    [[nodiscard]] Status status(const Record& record, const cgroup::Cgroups& cgroups) const;

  private:
    std::string root_;
};

/// A pidfd of the container's first process; none where it has ended.
[[nodiscard]] sys::Fd process_of(const Record& record);

/// What `state` prints, and hooks read (runtime-spec runtime.md, "State").
[[nodiscard]] Json state_of(const Record& record, const Bundle& bundle, Status status);

}  // namespace stack::oci
