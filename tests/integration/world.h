#pragma once

// What the integration tests look at: a stack of busybox containers, and what is left of it.

#include "tests/support/command.h"

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace stack::test {

/// Makes a root file system with busybox under all of its names.
void make_busybox_root(const std::string& root);

/// Puts a busybox image, made from this machine's static busybox, into the program's store.
void import_busybox(const StackProgram& stack);

/// Puts an image `probed` there: the same with /probe (tests/probe).
void import_probed(const StackProgram& stack);

/// `stack ps -a --format json`, one object a container.
[[nodiscard]] std::vector<nlohmann::json> containers(const StackProgram& stack);

/// The one container of a service.
[[nodiscard]] nlohmann::json container(const StackProgram& stack, const std::string& service);

/// Asks until `answer` holds `expected` or the deadline is over: for what happens by itself.
[[nodiscard]] bool eventually(const std::function<bool()>& holds);

/// The body of an HTTP answer; "" where there is none.
[[nodiscard]] std::string fetch(const std::string& url);

/// The pid of the project's supervisor, as its pid file says; 0 where there is none.
[[nodiscard]] int supervisor_pid(const StackProgram& stack, const std::string& project);

/// The processes of this sandbox that were started as `name`, from whatever directory.
[[nodiscard]] std::vector<std::string> pids_of(const std::string& name);

/// The shims among them.
[[nodiscard]] std::vector<std::string> shim_pids();

/// A failure of the running test for every process, link, rule, control group or record of a
/// container that is left.
void expect_nothing_left(const StackProgram& stack);

}  // namespace stack::test
