#include "engine/image/credentials.h"

#include <stack/error.h>

#include "base/base64.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"

#include <optional>
#include <tuple>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace stack::image {
namespace {

using Json = nlohmann::json;

std::string variable(const char* name) {
    const auto variables = sys::environment();
    const auto found = variables.find(name);
    return found == variables.end() ? "" : found->second;
}

std::string docker_config_path() {
    const std::string directory = variable("DOCKER_CONFIG");
    return (directory.empty() ? sys::home_directory() + "/.docker" : directory) + "/config.json";
}

std::vector<std::string> podman_config_paths() {
    std::vector<std::string> paths;
    if (const std::string file = variable("REGISTRY_AUTH_FILE"); !file.empty())
        paths.push_back(file);
    if (const std::string directory = variable("XDG_RUNTIME_DIR"); !directory.empty())
        paths.push_back(directory + "/containers/auth.json");
    paths.push_back(sys::home_directory() + "/.config/containers/auth.json");
    return paths;
}

Json read_config(const std::string& path) {
    const auto text = sys::read_file(path);
    if (!text)
        return Json::object();
    Json json = Json::parse(*text, nullptr, false);
    if (!json.is_object())
        throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                    path + " is not a JSON object: mend or remove it, then `stack login` again");
    return json;
}

/// The domain that a key of `auths` is about.
std::string domain_of(std::string key) {
    if (const auto scheme = key.find("://"); scheme != std::string::npos)
        key.erase(0, scheme + 3);
    key = key.substr(0, key.find('/'));
    return key == "index.docker.io" || key == "registry-1.docker.io" ? "docker.io" : key;
}

/// The key that docker writes for a domain.
std::string key_of(const std::string& domain) {
    return domain == "docker.io" ? "https://index.docker.io/v1/" : domain;
}

const Json& object_at(const Json& json, const char* key) {
    static const Json none = Json::object();
    const auto found = json.find(key);
    return found != json.end() && found->is_object() ? *found : none;
}

Credentials decode(const Json& entry) {
    Credentials credentials;
    const std::string pair = base64_decode(entry.value("auth", ""));
    std::tie(credentials.username, credentials.password) = split_once(pair, ':');
    if (pair.empty()) {
        credentials.username = entry.value("username", "");
        credentials.password = entry.value("password", "");
    }
    while (credentials.password.ends_with('\0'))
        credentials.password.pop_back();
    credentials.identity_token = entry.value("identitytoken", "");
    credentials.registry_token = entry.value("registrytoken", "");
    return credentials;
}

std::optional<Credentials> find_in(const Json& auths, const std::string& domain) {
    for (const auto& [key, entry] : auths.items())
        if (entry.is_object() && domain_of(key) == domain)
            if (auto credentials = decode(entry); !credentials.empty())
                return credentials;
    return std::nullopt;
}

/// The helper that is responsible for a domain; "" where it is the file itself.
std::string helper_for(const Json& config, const std::string& domain) {
    for (const auto& [key, helper] : object_at(config, "credHelpers").items())
        if (domain_of(key) == domain && helper.is_string())
            return helper.get<std::string>();
    return config.value("credsStore", "");
}

/// Its whole path, by PATH.
std::string program_of(const std::string& helper) {
    const std::string name = "docker-credential-" + helper;
    if (helper.find('/') == std::string::npos)
        if (auto program = sys::find_program(name))
            return *std::move(program);
    throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                docker_config_path() + " names the credential helper " + name +
                    ", which is not on the PATH: install it, or take it out of that file");
}

/// What the helper answers to a verb; nullopt where it has no such entry.
std::optional<std::string> ask_helper(const std::string& helper,
                                      const std::string& verb,
                                      const std::string& input) {
    const sys::Fd request = sys::memory_file("credentials", input);
    sys::Pipe output = sys::make_pipe();
    sys::SpawnOptions options;
    options.arguments = {"docker-credential-" + helper, verb};
    options.descriptors = {{request.get(), 0}, {output.write.get(), 1}};
    const auto child = sys::spawn(program_of(helper), options);
    output.write.reset();
    constexpr std::size_t longest_answer = 1U << 20U;
    std::string answer = sys::read_all(output.read, longest_answer);
    if (sys::wait(child) == 0)
        return answer;
    if (answer.find("credentials not found") != std::string::npos)
        return std::nullopt;
    throw Error(std::make_error_code(std::errc::permission_denied),
                "the credential helper docker-credential-" + helper +
                    " failed: " + std::string(trim(answer.empty() ? "it said nothing" : answer)));
}

std::optional<Credentials> find_by_helper(const std::string& helper, const std::string& domain) {
    const auto answer = ask_helper(helper, "get", key_of(domain));
    if (!answer)
        return std::nullopt;
    const Json json = Json::parse(*answer, nullptr, false);
    if (!json.is_object())
        throw Error("the credential helper docker-credential-" + helper + " answered no JSON");
    Credentials credentials;
    if (json.value("Username", "") == "<token>")
        credentials.identity_token = json.value("Secret", "");
    else
        credentials = {json.value("Username", ""), json.value("Secret", ""), "", ""};
    return credentials;
}

void write_config(const Json& config) {
    const std::string path = docker_config_path();
    sys::ensure_directory(sys::parent_path(path), 0700);
    sys::replace_file(sys::real_path(path).value_or(path), config.dump(4) + "\n", 0600);
}

bool erase_entry(Json& config, const std::string& domain) {
    const auto auths = config.find("auths");
    bool erased = false;
    if (auths == config.end() || !auths->is_object())
        return erased;
    for (auto entry = auths->begin(); entry != auths->end();)
        if (domain_of(entry.key()) == domain) {
            entry = auths->erase(entry);
            erased = true;
        } else {
            ++entry;
        }
    return erased;
}

}  // namespace

Credentials find_credentials(const std::string& domain) {
    const Json config = read_config(docker_config_path());
    if (const std::string helper = helper_for(config, domain); !helper.empty())
        return find_by_helper(helper, domain).value_or(Credentials());
    if (auto found = find_in(object_at(config, "auths"), domain))
        return *found;
    for (const auto& path : podman_config_paths())
        if (auto found = find_in(object_at(read_config(path), "auths"), domain))
            return *found;
    return {};
}

std::string store_credentials(const std::string& domain, const Credentials& credentials) {
    Json config = read_config(docker_config_path());
    erase_entry(config, domain);
    const std::string helper = helper_for(config, domain);
    Json entry = Json::object();  // empty: the helper has it
    if (!helper.empty()) {
        const bool token = !credentials.identity_token.empty();
        const Json request = {
            {"ServerURL", key_of(domain)},
            {"Username", token ? "<token>" : credentials.username},
            {"Secret", token ? credentials.identity_token : credentials.password}};
        static_cast<void>(ask_helper(helper, "store", request.dump()));
    } else {
        entry["auth"] = base64_encode(credentials.username + ":" + credentials.password);
        if (!credentials.identity_token.empty())
            entry["identitytoken"] = credentials.identity_token;
    }
    config["auths"][key_of(domain)] = entry;
    write_config(config);
    return helper.empty() ? docker_config_path() : "the credential helper " + helper;
}

bool erase_credentials(const std::string& domain) {
    Json config = read_config(docker_config_path());
    const std::string helper = helper_for(config, domain);
    bool erased = false;
    if (!helper.empty())
        erased = ask_helper(helper, "erase", key_of(domain)).has_value();
    if (erase_entry(config, domain)) {
        erased = true;
        write_config(config);
    }
    return erased;
}

}  // namespace stack::image
