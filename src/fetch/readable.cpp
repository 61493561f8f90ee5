#include "fetch/readable.h"

#include "fetch/http.h"
#include "sys/file.h"

#include <algorithm>
#include <set>
#include <utility>

namespace stack::fetch {
namespace {

/// Where distributions have certificates. Some have private keys beside them: these are the
/// directories and files that have none.
constexpr const char* certificates[] = {"/etc/ssl/certs",
                                        "/etc/ssl/cert.pem",
                                        "/etc/ssl/openssl.cnf",
                                        "/etc/ca-certificates",
                                        "/usr/share/ca-certificates",
                                        "/usr/local/share/ca-certificates",
                                        "/etc/pki/ca-trust",
                                        "/etc/pki/tls/certs",
                                        "/etc/pki/tls/cert.pem",
                                        "/etc/pki/tls/openssl.cnf",
                                        "/etc/crypto-policies",
                                        "/usr/share/crypto-policies",
                                        "/usr/share/pki",
                                        "/var/lib/ca-certificates"};

constexpr const char* resolution[] = {"/etc/resolv.conf",
                                      "/etc/hosts",
                                      "/etc/nsswitch.conf",
                                      "/etc/host.conf",
                                      "/etc/gai.conf",
                                      "/etc/services",
                                      "/etc/protocols"};

/// A daemon's own, which it replaces by another one of the same name at any moment.
std::string directory_of_resolvers() {
    const std::string file = sys::real_path("/etc/resolv.conf").value_or("");
    return file.starts_with("/run/") ? sys::parent_path(file) : "";
}

bool lies_below(const std::string& file, const Strings& directories) {
    return std::any_of(directories.begin(), directories.end(), [&](const std::string& directory) {
        return !directory.empty() && file.starts_with(directory + "/");
    });
}

}  // namespace

Strings files_of_libraries() {
    return {"/usr/lib",
            "/usr/lib64",
            "/usr/local/lib",
            "/lib",
            "/lib64",
            "/etc/ld.so.cache",
            "/etc/localtime",
            "/usr/share/zoneinfo",
            "/dev/null",
            "/dev/random",
            "/dev/urandom",
            "/proc/self",
            "/sys/devices/system/cpu"};
}

Strings files_of_the_network(const RegistrySettings& settings) {
    Strings all(std::begin(certificates), std::end(certificates));
    all.insert(all.end(), std::begin(resolution), std::end(resolution));
    all.push_back(directory_of_resolvers());
    const Strings trusted = trusted_certificates();
    all.insert(all.end(), trusted.begin(), trusted.end());
    for (auto& file : files_linked_from(trusted))
        if (!lies_below(file, all))
            all.push_back(std::move(file));
    for (const auto& [host, file] : settings.ca)
        all.push_back(file);
    return all;
}

Strings files_linked_from(const Strings& directories) {
    std::set<std::string> files;
    for (const auto& directory : directories) {
        const auto own = sys::real_path(directory);
        if (!own || !sys::is_directory(*own))
            continue;
        for (const auto& name : sys::list_directory(*own)) {
            const auto file = sys::real_path(*own + "/" + name);
            // A directory would be all that lies below it.
            if (file && sys::parent_path(*file) != *own && !sys::is_directory(*file))
                files.insert(*file);
        }
    }
    return {files.begin(), files.end()};
}

}  // namespace stack::fetch
