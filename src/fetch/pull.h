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

/// Pulls an image into the store; returns its id. Events of its layers are said on the way.
std::string pull(const Paths& paths,
                 const PullRequest& request,
                 const RegistrySettings& settings,
                 const CredentialMap& credentials);

/// Which manifest of an index fits `platform` ("" is linux on this machine's architecture); ""
/// where none does. Attestations and entries without a platform of ours are passed over.
std::string choose_platform(const std::string& index_json, const std::string& platform);

}  // namespace stack::fetch
