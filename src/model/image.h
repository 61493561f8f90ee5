#pragma once

// What an image says about how to run it (OCI image-spec config.md, with Docker's extras), as a
// value. It is data: nothing in it changes how a container is isolated.

#include <stack/model.h>

#include <optional>
#include <string>

namespace stack {

struct ImageConfig {
    Strings entrypoint;
    Strings command;
    Strings environment;  // NAME=value
    std::string user;
    std::string working_dir;
    std::string stop_signal;
    Strings volumes;        // paths that get an anonymous volume
    Strings exposed_ports;  // "80/tcp"
    StringMap labels;
    Strings shell;  // empty: /bin/sh -c
    Strings on_build;
    std::optional<Healthcheck> healthcheck;
    std::string os = "linux";
    std::string architecture;
    std::string variant;

    bool operator==(const ImageConfig&) const = default;
};

}  // namespace stack
