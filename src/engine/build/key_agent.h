#pragma once

// An ssh agent of our own with keys from files: `--ssh ID=KEY,…`, for RUN --mount=type=ssh. The
// machine's ssh-agent does it.

#include <stack/model.h>

#include "sys/fd.h"
#include "sys/process.h"

#include <string>

namespace stack::build {

class KeyAgent {
  public:
    /// Answers at `socket`, which is not there yet, until the object goes, or this process. Throws
    /// stack::Error where there is no ssh-agent, or a key cannot be used (it has a passphrase).
    KeyAgent(const std::string& socket, const Strings& keys);
    ~KeyAgent();
    KeyAgent(const KeyAgent&) = delete;
    KeyAgent& operator=(const KeyAgent&) = delete;

  private:
    sys::Fd life_;  // the agent ends when this is closed
    sys::Child agent_;
};

}  // namespace stack::build
