#include "fetch/settings.h"

#include <stack/error.h>

#include "base/units.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <optional>

#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

RegistrySettings decode(const Json& json, const std::string& path) {
    RegistrySettings settings;
    try {
        for (const auto& [key, value] : json.items()) {
            if (key == "mirrors") {
                for (const auto& [host, list] : value.items())
                    for (const auto& mirror : list)
                        settings.mirrors.emplace(host, mirror.get<std::string>());
            } else if (key == "insecure") {
                value.get_to(settings.insecure);
            } else if (key == "ca") {
                value.get_to(settings.ca);
            } else if (key == "max_unpacked") {
                const auto bytes = parse_bytes(value.get<std::string>());
                if (!bytes)
                    throw Error(path + ": max_unpacked: " + bytes.error().message);
                settings.max_unpacked = *bytes;
            } else {
                throw Error(path + ": there is no setting \"" + key +
                            "\": it may hold \"mirrors\", \"insecure\", \"ca\" and "
                            "\"max_unpacked\"");
            }
        }
    } catch (const Json::exception&) {
        throw Error(path +
                    " has a value of the wrong type: see the example in `stack image pull "
                    "--help`");
    }
    return settings;
}

}  // namespace

RegistrySettings load_settings(const std::string& state) {
    RegistrySettings settings;
    for (const auto& path : {state + "/registries.json", std::string("/etc/stack/registries.json")})
        if (const auto text = sys::read_file(path)) {
            const Json json = Json::parse(*text, nullptr, false);
            if (!json.is_object())
                throw Error(path + " is not a JSON object");
            settings = decode(json, path);
            break;
        }
    const auto variables = sys::environment();
    if (const auto mirror = variables.find("STACK_REGISTRY_MIRROR"); mirror != variables.end())
        settings.mirrors.emplace("docker.io", mirror->second);
    return settings;
}

}  // namespace stack::fetch
