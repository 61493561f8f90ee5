#include "fetch/registry.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "fetch/auth.h"
#include "sys/file.h"
#include "sys/poll.h"
#include "sys/terminal.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

constexpr const char* accepted =
    "Accept: application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

constexpr int most_redirects = 10;
constexpr int most_tries = 5;

std::string variable(const char* name) {
    const auto variables = sys::environment();
    const auto found = variables.find(name);
    return found == variables.end() ? "" : found->second;
}

std::string docker_config() {
    const std::string directory = variable("DOCKER_CONFIG");
    return sys::read_file((directory.empty() ? variable("HOME") + "/.docker" : directory) +
                          "/config.json")
        .value_or("");
}

/// The registry's own words, short.
std::string said(const HttpResponse& response) {
    const Json json = Json::parse(response.body, nullptr, false);
    if (json.is_object() && json.contains("errors") && json["errors"].is_array() &&
        !json["errors"].empty())
        return json["errors"][0].value("message", "");
    constexpr std::size_t longest = 120;
    return response.body.substr(0, longest);
}

bool worth_another_try(long status) {
    return status == 408 || status == 429 || status >= 500;
}

/// Doubling from half a second; a Retry-After of the server's, up to a minute.
std::chrono::milliseconds pause_before(int attempt, const HttpResponse& response) {
    constexpr std::chrono::milliseconds first{500};
    const auto asked = parse_number<int>(response.header("retry-after"));
    if (asked)
        return std::chrono::seconds(std::clamp(*asked, 0, 60));
    return first * (1 << attempt);
}

}  // namespace

RegistrySettings load_settings(const std::string& state) {
    RegistrySettings settings;
    auto text = sys::read_file(state + "/registries.json");
    if (!text)
        text = sys::read_file("/etc/stack/registries.json");
    if (text) {
        const Json json = Json::parse(*text, nullptr, false);
        if (!json.is_object())
            throw Error(
                "registries.json is not a JSON object: it may hold \"mirrors\", \"insecure\" and "
                "\"ca\"");
        const Json mirrors = json.value("mirrors", Json::object());
        for (const auto& [host, list] : mirrors.items())
            for (const auto& mirror : list)
                settings.mirrors.emplace(host, mirror.get<std::string>());
        settings.insecure = json.value("insecure", std::vector<std::string>());
        settings.ca = json.value("ca", std::map<std::string, std::string>());
    }
    if (const std::string mirror = variable("STACK_REGISTRY_MIRROR"); !mirror.empty())
        settings.mirrors.emplace("docker.io", mirror);
    return settings;
}

Registry::Registry(image::Reference reference, RegistrySettings settings)
    : reference_(std::move(reference)), settings_(std::move(settings)) {
    const auto [first, last] = settings_.mirrors.equal_range(reference_.domain);
    for (auto mirror = first; mirror != last; ++mirror)
        endpoints_.push_back(
            {mirror->second, origin(mirror->second).substr(mirror->second.find("://") + 3)});
    const std::string host =
        reference_.domain == "docker.io" ? "registry-1.docker.io" : reference_.domain;
    const bool insecure = std::find(settings_.insecure.begin(), settings_.insecure.end(), host) !=
                          settings_.insecure.end();
    if (is_loopback(host))
        endpoints_.push_back({"http://" + host, reference_.domain});
    endpoints_.push_back({"https://" + host, reference_.domain});
    if (insecure && !is_loopback(host))
        endpoints_.push_back({"http://" + host, reference_.domain});
}

HttpRequest Registry::request(const std::string& url, std::vector<std::string> headers) const {
    HttpRequest request;
    request.url = url;
    request.headers = std::move(headers);
    const std::string host = origin(url).substr(url.find("://") + 3);
    request.verify = std::find(settings_.insecure.begin(), settings_.insecure.end(), host) ==
                     settings_.insecure.end();
    if (const auto ca = settings_.ca.find(host); ca != settings_.ca.end())
        request.ca_file = ca->second;
    return request;
}

/// Follows redirects; what is secret goes to the endpoint's own origin only.
HttpResponse Registry::ask_endpoint(const std::string& first_url,
                                    std::vector<std::string> headers,
                                    const OnBody& on_body) {
    std::string url = first_url;
    for (int i = 0; i <= most_redirects; ++i) {
        auto sent = headers;
        if (!authorization_.empty() && origin(url) == origin(first_url))
            sent.push_back("Authorization: " + authorization_);
        HttpResponse response;
        if (const auto failure = perform(request(url, std::move(sent)), response, on_body))
            throw Error(std::make_error_code(failure->connected ? std::errc::connection_reset
                                                                : std::errc::host_unreachable),
                        failure->sentence);
        const std::string target = response.header("location");
        if (response.status < 300 || response.status > 399 || target.empty())
            return response;
        const std::string next = target.starts_with('/') ? origin(url) + target : target;
        if (url.starts_with("https://") && !next.starts_with("https://"))
            throw Error("registry " + endpoints_.front().base +
                        " redirects from https to an address without it (" + origin(next) +
                        "): it is not followed");
        url = next;
    }
    throw Error("registry " + endpoints_.front().base + " redirects without end");
}

bool Registry::authorize(const HttpResponse& refusal) {
    std::vector<std::string> headers;
    const auto [first, last] = refusal.headers.equal_range("www-authenticate");
    for (auto header = first; header != last; ++header)
        headers.push_back(header->second);
    const auto challenge = choose_challenge(parse_challenges(headers));
    const std::string credentials = basic_credentials(docker_config(), endpoints_.front().host);
    if (!challenge)
        return false;
    if (challenge->scheme == "basic") {
        if (credentials.empty() || !authorization_.empty())
            return false;  // what we have was not enough
        authorization_ = "Basic " + credentials;
        return true;
    }
    // Also where there is a token: it may have expired in the middle of a long pull.
    HttpRequest token =
        request(token_url(*challenge, "repository:" + reference_.path + ":pull"), {});
    if (!may_carry_secrets(token.url, endpoints_.front().base))
        throw Error("registry " + endpoints_.front().base +
                    " has its tokens given out without https (" + origin(token.url) +
                    "): nothing is sent there");
    if (!credentials.empty())
        token.headers.push_back("Authorization: Basic " + credentials);
    HttpResponse response;
    if (perform(token, response) || response.status != 200)
        return false;
    const Json json = Json::parse(response.body, nullptr, false);
    if (!json.is_object())
        return false;
    authorization_ = "Bearer " + json.value("token", json.value("access_token", ""));
    return true;
}

HttpResponse Registry::ask(const std::string& path,
                           std::vector<std::string> headers,
                           const OnBody& on_body) {
    std::string unreachable;
    while (!endpoints_.empty()) {
        const std::string url = endpoints_.front().base + "/v2/" + reference_.path + path;
        try {
            HttpResponse response = ask_endpoint(url, headers, on_body);
            if (response.status == 401 && authorize(response))
                response = ask_endpoint(url, headers, on_body);
            // Another scheme of the same registry would not know better; 400 is what a server that
            // wants https says to http.
            const bool has_more =
                endpoints_.size() > 1 &&
                (endpoints_[1].host != endpoints_[0].host || response.status == 400);
            if (response.status < 400 || !has_more || worth_another_try(response.status))
                return response;
        } catch (const Error& error) {
            if (error.code() != std::errc::host_unreachable)
                throw;
            unreachable +=
                (unreachable.empty() ? "" : "; ") + endpoints_.front().base + ": " + error.what();
        }
        endpoints_.erase(endpoints_.begin());
        authorization_.clear();
    }
    throw Error(std::make_error_code(std::errc::host_unreachable),
                "registry " + reference_.domain + " cannot be reached (" + unreachable +
                    "): check the network, or name a mirror in registries.json");
}

void Registry::refuse(const HttpResponse& response, const std::string& what) const {
    const std::string name = image::familiar(reference_);
    const std::string words = said(response);
    const std::string detail = words.empty() ? "" : " (\"" + words + "\")";
    switch (response.status) {
        case 401:
        case 403:
            throw Error(std::make_error_code(std::errc::permission_denied),
                        "pull access denied for " + name + " at " + reference_.domain +
                            ": the repository does not exist, or needs a login" +
                            (authorization_.empty() ? " (asked as nobody)" : "") + detail);
        case 404:
            throw Error(
                std::make_error_code(std::errc::no_such_file_or_directory),
                what + " of image " + name + " is not found at " + reference_.domain + detail);
        case 429:
            throw Error(std::make_error_code(std::errc::resource_unavailable_try_again),
                        "registry " + reference_.domain + " allows no more pulls for now (429)" +
                            detail + ": log in, wait, or name a mirror in registries.json");
        default:
            throw Error(std::make_error_code(std::errc::protocol_error),
                        "registry " + reference_.domain + " answered " +
                            std::to_string(response.status) + " for " + what + " of image " + name +
                            detail);
    }
}

Manifest Registry::manifest(const std::string& tag_or_digest) {
    HttpResponse response;
    for (int attempt = 0;; ++attempt) {
        response = ask("/manifests/" + tag_or_digest, {accepted}, {});
        if (!worth_another_try(response.status) || attempt + 1 == most_tries)
            break;
        sys::pause(pause_before(attempt, response));
    }
    if (response.status != 200)
        refuse(response,
               is_digest(tag_or_digest) ? "manifest " + tag_or_digest : "tag " + tag_or_digest);
    Manifest manifest;
    manifest.bytes = std::move(response.body);
    manifest.media_type = trim(split_once(response.header("content-type"), ';').first);
    manifest.digest = "sha256:" + sha256_hex(manifest.bytes);
    const std::string expected =
        is_digest(tag_or_digest) ? tag_or_digest : response.header("docker-content-digest");
    if (is_digest(expected) && manifest.digest != expected)
        throw Error(std::make_error_code(std::errc::protocol_error),
                    "registry " + reference_.domain + " sent a manifest whose digest is " +
                        manifest.digest + " instead of " + expected);
    return manifest;
}

void Registry::blob(const std::string& digest,
                    std::int64_t size,
                    std::int64_t offset,
                    const std::function<bool(std::string_view)>& on_bytes) {
    std::int64_t received = offset;
    std::int64_t skip = 0;
    std::int64_t tried_at = offset;
    if (received == size)
        return;
    for (int attempt = 0;; ++attempt) {
        constexpr std::int64_t progress = 1 << 20;
        if (received - tried_at >= progress)
            attempt = 0;  // a connection that breaks now and then gets there, too
        tried_at = received;
        std::vector<std::string> headers;
        if (received > 0)
            headers.push_back("Range: bytes=" + std::to_string(received) + "-");
        bool first = true;
        HttpResponse response;
        std::string broken;
        const auto take = [&](std::string_view bytes, long status) {
            if (first) {  // a server without ranges begins at the beginning
                first = false;
                constexpr long partial_content = 206;
                skip = status == partial_content ? 0 : received;
            }
            const auto skipped =
                std::min<std::int64_t>(skip, static_cast<std::int64_t>(bytes.size()));
            skip -= skipped;
            bytes.remove_prefix(static_cast<std::size_t>(skipped));
            received += static_cast<std::int64_t>(bytes.size());
            if (received > size)
                throw Error(std::make_error_code(std::errc::protocol_error),
                            "blob " + digest + " is longer than the " + std::to_string(size) +
                                " bytes its manifest promises");
            return bytes.empty() || on_bytes(bytes);
        };
        try {
            response = ask("/blobs/" + digest, headers, take);
        } catch (const Error& error) {
            if (error.code() != std::errc::connection_reset)
                throw;
            broken = error.what();
        }
        if (broken.empty() && (response.status == 200 || response.status == 206)) {
            if (received == size)
                return;
            broken = "it ended after " + std::to_string(received) + " of " + std::to_string(size) +
                     " bytes";
        } else if (broken.empty() && !worth_another_try(response.status)) {
            refuse(response, "blob " + digest);
        }
        if (attempt + 1 == most_tries)
            throw Error(
                std::make_error_code(std::errc::connection_aborted),
                "blob " + digest + " cannot be downloaded from " + reference_.domain + ": " +
                    (broken.empty() ? "status " + std::to_string(response.status) : broken));
        sys::pause(pause_before(attempt, response));
    }
}

}  // namespace stack::fetch
