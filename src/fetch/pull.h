#pragma once

#include <stack/paths.h>

#include "fetch/connection.h"
#include "fetch/layer.h"

#include <string>

namespace stack::fetch {

struct PullRequest {
    std::string reference;
    std::string platform;  // "" is linux on this machine's architecture
    UnpackLimit limit;
};

/// Pulls an image into the store; returns its id. Events of its layers are said on the way. Throws
/// stack::Error where it cannot be had, or is not for `platform` and that was asked for.
std::string pull(const Paths& paths,
                 const PullRequest& request,
                 const RegistrySettings& settings,
                 const CredentialMap& credentials);

/// The tags of the repository that `reference` is in, one a line.
std::string list_tags(const std::string& reference,
                      const RegistrySettings& settings,
                      const CredentialMap& credentials);

}  // namespace stack::fetch
