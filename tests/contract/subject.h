#pragma once

// An engine that the contract is asked of, with what differs between engines: how time passes, and
// how something happens that nobody asked the engine for.

#include <stack/engine.h>

#include <functional>
#include <memory>
#include <string>

namespace stack::test {

class Subject {
  public:
    Subject() = default;
    virtual ~Subject() = default;
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    [[nodiscard]] virtual Engine& engine() = 0;

    /// Lets the engine's loop turn until `reached` holds; false where it never does.
    [[nodiscard]] virtual bool turn_until(const std::function<bool()>& reached) = 0;

    /// The process of a running container dies of SIGKILL, by another hand than the engine's.
    virtual void kill_behind_its_back(const ObservedContainer& container) = 0;

    /// The name service of networks dies of SIGKILL; false where the engine has no process for it.
    virtual bool kill_name_service() = 0;

    /// A health check that finds what a process with this status would say.
    [[nodiscard]] virtual Healthcheck check_that_exits(const std::string& container,
                                                       int status) = 0;
};

/// Both have an image "busybox" and nothing else.
[[nodiscard]] std::unique_ptr<Subject> make_fake_subject();
[[nodiscard]] std::unique_ptr<Subject> make_real_subject();

}  // namespace stack::test
