#pragma once

// Where containers of tests run: network and mount namespaces of the test program's own, a root
// directory of its own, and an image that is a busybox.

#include "engine/cgroup/cgroup.h"
#include "engine/network/networks.h"
#include "engine/runtime/runtime.h"

#include <map>
#include <optional>
#include <string>

namespace stack::test {

/// A service that runs a shell script and has no network.
[[nodiscard]] Service script(const std::string& text);

/// What a command inside a container did.
struct Told {
    int status = 0;
    std::string output;
};

class Bed {
  public:
    Bed();
    /// Removes every container, and fails the test where something of one is left.
    ~Bed();
    Bed(const Bed&) = delete;
    Bed& operator=(const Bed&) = delete;

    /// A directory of this test's, outside of every container.
    [[nodiscard]] const std::string& directory() const { return directory_; }

    /// Root directory of the image: what is put there is in containers made afterwards.
    [[nodiscard]] std::string image() const { return directory_ + "/image"; }

    std::string create(const Service& service);
    /// Starts it and waits until its program runs. Throws as Runtime::finish_start() does.
    void start(const std::string& id);
    /// Waits for its end.
    ObservedContainer wait(const std::string& id);
    /// Ends it where it runs, and removes it and its anonymous volumes.
    void take_away(const std::string& id);
    /// All of it, to the end.
    ObservedContainer run(const Service& service);

    /// What it printed, without the heads of lines.
    [[nodiscard]] std::string output(const std::string& id) const;
    /// Waits until it has printed `text`.
    void await_output(const std::string& id, const std::string& text) const;
    /// What a script printed that ran to its end.
    std::string output_of(const Service& service);

    Told exec(const std::string& id, const runtime::ExecOptions& options);

    /// Groups, links, mounts and files that are there because of containers.
    [[nodiscard]] std::string leftovers() const;

    /// What the image says; part of containers made afterwards.
    ImageConfig image_config;
    runtime::MountedImages mounted;
    std::map<std::string, FileSource> secrets;
    Strings warnings;  // of stops

  private:
    void make_image() const;

    std::string directory_;
    int count_ = 0;

  public:
    Paths paths;
    cgroup::Cgroups cgroups;
    network::Networks networks;
    runtime::Runtime runtime;
};

}  // namespace stack::test
