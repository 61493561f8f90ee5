#pragma once

// What a machine's owner says about registries and what comes from them: <state>/registries.json,
// else /etc/stack/registries.json.
//
//     {"mirrors":  {"docker.io": ["http://127.0.0.1:5055"]},  tried in order, then the registry
//      "insecure": ["registry.local:5000"],  certificates are not checked, plain HTTP is tried
//      "ca":       {"registry.example": "/etc/ssl/my-ca.pem"},
//      "max_unpacked": "20GB"}               of one layer (layer.h, UnpackLimit)
//
// STACK_REGISTRY_MIRROR in the environment is one more mirror of docker.io.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stack::fetch {

struct RegistrySettings {
    std::multimap<std::string, std::string> mirrors;
    std::vector<std::string> insecure;
    std::map<std::string, std::string> ca;
    std::int64_t max_unpacked = 0;
};

/// Throws stack::Error where the file is not as above.
[[nodiscard]] RegistrySettings load_settings(const std::string& state);

}  // namespace stack::fetch
