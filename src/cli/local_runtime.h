#pragma once

// The runtime inside this process, for commands on containers as they are: their streams, files and
// records.

#include <stack/paths.h>

#include "engine/cgroup/cgroup.h"
#include "engine/network/networks.h"
#include "engine/runtime/runtime.h"

namespace stack::cli {

class LocalRuntime {
  public:
    explicit LocalRuntime(const Paths& paths)
        : networks_(paths), runtime_(paths, cgroups_, networks_) {}

    LocalRuntime(const LocalRuntime&) = delete;
    LocalRuntime& operator=(const LocalRuntime&) = delete;

    runtime::Runtime* operator->() { return &runtime_; }

    [[nodiscard]] runtime::Runtime& get() { return runtime_; }

    [[nodiscard]] const runtime::Runtime& get() const { return runtime_; }

  private:
    const cgroup::Cgroups cgroups_;
    network::Networks networks_;
    runtime::Runtime runtime_;
};

}  // namespace stack::cli
