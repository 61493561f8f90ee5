#pragma once

#include "shim/spec.h"

namespace stack::shim {

/// Runs one container to its end. What became of the start is written to `status_fd`, which is then
/// closed: "started", or "<code> <sentence>".
int run_container(const Spec& spec, int status_fd);

/// Makes the container of a bundle, which waits to be started. `status_fd` is told "pid N", "hooks"
/// (then a byte is awaited on descriptor 5) and "created", a line each, or "<code> <sentence>".
int create_container(const Spec& spec, int status_fd);

/// Runs a command in the container whose first process is behind `pidfd`; returns its status.
int join_container(const JoinSpec& spec, int pidfd);

/// Mounts the files of a container that does not run, with its volumes, as this process's own root,
/// tells "started" on `status_fd` as run_container() does, and stays until that is closed.
int view_container(const Spec& spec, int status_fd);

/// Connects a running container, whose network namespace `spec.network.path` is, to those of
/// `spec.interfaces` that it is not connected to, and routes as they say.
int rewire_container(const Spec& spec, int status_fd);

/// The same as view_container() for a container that runs, whose first process is behind `pidfd`.
int enter_container(int pidfd, int status_fd);

/// Thaws a container when the other end of `words_fd` is closed, whose words until then are what
/// its freezer is told.
int thaw_container(int freezer_fd, int words_fd);

/// A first process for programs that do not reap: runs `arguments`, passes signals on, collects
/// orphans, and ends with the program's status.
int run_init(char** arguments);

}  // namespace stack::shim
