#pragma once

#include <stack/paths.h>

#include "fetch/connection.h"

#include <string>

namespace stack::fetch {

/// Sends the image that has this name to the registry that the name says; returns the digest by
/// which that knows it. Events of its layers are said on the way.
std::string push(const Paths& paths,
                 const std::string& reference,
                 const RegistrySettings& settings,
                 const CredentialMap& credentials);

/// Throws where the registry does not take the credentials of `domain`.
void check_login(const std::string& domain,
                 const RegistrySettings& settings,
                 const CredentialMap& credentials);

}  // namespace stack::fetch
