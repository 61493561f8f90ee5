#include "fetch/connection.h"

#include <stack/error.h>

#include "base/base64.h"
#include "base/text.h"
#include "fetch/auth.h"
#include "sys/poll.h"

#include <algorithm>
#include <ctime>

#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

bool is_control(char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

std::string host_of(const std::string& url) {
    return origin(url).substr(url.find("://") + 3);
}

}  // namespace

bool is_redirect(const std::string& method, long status) {
    if (status == 307 || status == 308)
        return true;
    return (method == "GET" || method == "HEAD") &&
           (status == 301 || status == 302 || status == 303);
}

std::string redirect_target(const std::string& from, const std::string& location) {
    const std::string to = location.starts_with('/') ? origin(from) + location : location;
    if (!to.starts_with("http://") && !to.starts_with("https://"))
        throw Error(origin(from) + " redirects to " + to + ", which is no web address");
    if (from.starts_with("https://") && !to.starts_with("https://"))
        throw Error(origin(from) + " redirects from https to an address without it (" + origin(to) +
                    "): it is not followed");
    if (is_link_local(host_of(to)) && !is_link_local(host_of(from)))
        throw Error(origin(from) + " redirects to " + host_of(to) +
                    ", which only this machine's own network has: it is not followed");
    return to;
}

HttpRequest request_for(const std::string& url, const RegistrySettings& settings) {
    HttpRequest request;
    request.url = url;
    const std::string host = host_of(url);
    request.verify = std::find(settings.insecure.begin(), settings.insecure.end(), host) ==
                     settings.insecure.end();
    if (const auto ca = settings.ca.find(host); ca != settings.ca.end())
        request.ca_file = ca->second;
    return request;
}

std::string words_of(const HttpResponse& response) {
    const Json json = Json::parse(response.body, nullptr, false);
    const auto text = [](const Json& object, const char* key) {
        const auto found = object.is_object() ? object.find(key) : object.end();
        return found != object.end() && found->is_string() ? found->get<std::string>() : "";
    };
    std::string words = json.is_discarded() ? response.body : "";
    if (json.is_object() && json.contains("errors") && json["errors"].is_array() &&
        !json["errors"].empty())
        words = text(json["errors"][0], "message");
    for (const auto* key : {"error_description", "details", "message", "error"})
        if (words.empty())
            words = text(json, key);
    constexpr std::size_t longest = 120;
    words = trim(words.substr(0, longest));
    std::replace_if(words.begin(), words.end(), is_control, ' ');
    return words;
}

std::string login_command(const std::string& domain) {
    return "`stack login" + (domain == "docker.io" ? "" : " " + domain) + "`";
}

bool worth_another_try(long status) {
    return status == 408 || status == 429 || status >= 500;
}

std::chrono::milliseconds pause_before(int attempt, const HttpResponse& response) {
    constexpr std::chrono::milliseconds first{500};
    constexpr std::int64_t longest = 60;
    const std::string asked = response.header("retry-after");
    if (const auto seconds = parse_number<std::int64_t>(asked))
        return std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, longest));
    if (const auto date = parse_http_date(asked))
        return std::chrono::seconds(
            std::clamp<std::int64_t>(*date - std::time(nullptr), 0, longest));
    return first * (1 << attempt);
}

std::vector<std::string> Connection::domains(const std::string& domain,
                                             const RegistrySettings& settings) {
    std::vector<std::string> all{domain};
    const auto [first, last] = settings.mirrors.equal_range(domain);
    for (auto mirror = first; mirror != last; ++mirror)
        all.push_back(host_of(mirror->second));
    return all;
}

Connection::Connection(std::string domain,
                       std::vector<std::string> scopes,
                       bool with_mirrors,
                       RegistrySettings settings,
                       CredentialMap credentials)
    : domain_(std::move(domain)),
      scopes_(std::move(scopes)),
      settings_(std::move(settings)),
      credentials_(std::move(credentials)) {
    const auto [first, last] = settings_.mirrors.equal_range(domain_);
    for (auto mirror = first; with_mirrors && mirror != last; ++mirror)
        endpoints_.push_back({mirror->second, host_of(mirror->second), true});
    const std::string host = domain_ == "docker.io" ? "registry-1.docker.io" : domain_;
    const bool insecure = std::find(settings_.insecure.begin(), settings_.insecure.end(), host) !=
                          settings_.insecure.end();
    if (is_loopback(host))
        endpoints_.push_back({"http://" + host, domain_});
    endpoints_.push_back({"https://" + host, domain_});
    if (insecure && !is_loopback(host))
        endpoints_.push_back({"http://" + host, domain_});
}

image::Credentials Connection::credentials() const {
    const auto found =
        endpoints_.empty() ? credentials_.end() : credentials_.find(endpoints_.front().domain);
    return found == credentials_.end() ? image::Credentials() : found->second;
}

Connection Connection::with_scope(const std::string& scope) const {
    Connection copy = *this;
    copy.scopes_.push_back(scope);
    copy.authorization_.clear();
    return copy;
}

std::string Connection::identity() const {
    const auto own = credentials_.find(domain_);
    if (own == credentials_.end() || own->second.empty())
        return "nobody";
    return own->second.username.empty() ? "the bearer of a token" : own->second.username;
}

/// Follows redirects; what is secret goes to the endpoint's own origin only.
HttpResponse Connection::ask_endpoint(const Ask& ask) {
    const std::string& base = endpoints_.front().base;
    std::string url =
        ask.path.find("://") == std::string::npos ? base + "/v2/" + ask.path : ask.path;
    for (int i = 0; i <= most_redirects; ++i) {
        HttpRequest sent = request_for(url, settings_);
        sent.method = ask.method;
        sent.headers = ask.headers;
        sent.body = ask.body;
        sent.upload = ask.upload;
        sent.on_upload = ask.on_upload;
        if (!authorization_.empty() && origin(url) == origin(base))
            sent.headers.push_back("Authorization: " + authorization_);
        HttpResponse response;
        if (const auto failure = client_.perform(sent, response, ask.on_body))
            throw Error(std::make_error_code(failure->connected ? std::errc::connection_reset
                                                                : std::errc::host_unreachable),
                        failure->sentence);
        const std::string location = response.header("location");
        if (location.empty() || !is_redirect(ask.method, response.status))
            return response;
        url = redirect_target(url, location);
    }
    throw Error("registry " + base + " redirects without end");
}

/// Takes the credentials that the refusal asks for. False where there are none, or these have just
/// been refused.
bool Connection::authorize(const HttpResponse& refusal) {
    std::vector<std::string> headers;
    const auto [first, last] = refusal.headers.equal_range("www-authenticate");
    for (auto header = first; header != last; ++header)
        headers.push_back(header->second);
    const auto challenge = choose_challenge(parse_challenges(headers));
    if (!challenge)
        return false;
    if (challenge->scheme == "bearer")  // also where there is a token: it may have expired
        return take_token(challenge->parameters);
    const auto own = credentials();
    if (own.username.empty() || !authorization_.empty())
        return false;
    authorization_ = "Basic " + base64_encode(own.username + ":" + own.password);
    return true;
}

bool Connection::take_token(const std::map<std::string, std::string>& challenge) {
    const auto own = credentials();
    if (!own.registry_token.empty()) {
        const bool tried = !authorization_.empty();
        authorization_ = "Bearer " + own.registry_token;
        return !tried;
    }
    HttpRequest token = request_for(token_url({"bearer", challenge}, scopes_), settings_);
    if (!may_carry_secrets(token.url, endpoints_.front().base))
        throw Error("registry " + endpoints_.front().base + " has its tokens given out at " +
                    origin(token.url) + ", neither by https nor by itself: nothing is sent there");
    if (!own.identity_token.empty()) {
        token.method = "POST";
        token.body = token_form(challenge, scopes_, own.identity_token);
        token.url = challenge.at("realm");
    } else if (!own.username.empty()) {
        token.headers.push_back("Authorization: Basic " +
                                base64_encode(own.username + ":" + own.password));
    }
    const HttpResponse response = ask_for_token(token);
    const Json json = Json::parse(response.body, nullptr, false);
    std::string given;
    for (const auto* key : {"token", "access_token"})
        if (json.is_object() && json.contains(key) && json[key].is_string() && given.empty())
            given = json[key].get<std::string>();
    const bool is_header = std::none_of(given.begin(), given.end(), is_control);
    if (response.status == 200 && !given.empty() && is_header) {
        authorization_ = "Bearer " + given;
        return true;
    }
    if (endpoints_.front().mirror)  // there are others
        return false;
    refuse_token(response, origin(token.url));
}

/// Again where it has a bad moment, as the registry itself is asked.
HttpResponse Connection::ask_for_token(const HttpRequest& request) {
    for (int attempt = 0;; ++attempt) {
        HttpResponse response;
        const auto failure = client_.perform(request, response);
        const bool last = attempt + 1 == most_tries;
        if (failure && (last || !failure->connected))
            throw Error(std::make_error_code(std::errc::host_unreachable),
                        "its tokens are given out at " + origin(request.url) +
                            ", which cannot be reached: " + failure->sentence);
        if (!failure && (last || !worth_another_try(response.status)))
            return response;
        sys::pause(pause_before(attempt, response));
    }
}

void Connection::refuse_token(const HttpResponse& response, const std::string& from) const {
    const std::string words = words_of(response);
    const std::string detail = words.empty() ? "" : " (\"" + words + "\")";
    const std::string server = from + ", which gives out the tokens of registry " + domain_;
    if (response.status == 401 || response.status == 403)
        throw Error(std::make_error_code(std::errc::permission_denied),
                    server + ", has none for " + identity() + detail +
                        ": what is asked for needs another login (" + login_command(domain_) + ")");
    if (response.status == 429)
        throw Error(std::make_error_code(std::errc::resource_unavailable_try_again),
                    server + ", allows no more for now (429)" + detail + ": log in, or wait");
    throw Error(std::make_error_code(std::errc::protocol_error),
                server + ", answered " + std::to_string(response.status) +
                    (response.status == 200 ? " and gave none" : detail) +
                    ": try again later; it is not known whether access would be given");
}

HttpResponse Connection::ask(const Ask& ask) {
    std::string unreachable;
    while (!endpoints_.empty()) {
        try {
            HttpResponse response = ask_endpoint(ask);
            if (response.status == 401 && authorize(response))
                response = ask_endpoint(ask);
            // Another scheme of the same registry would not know better; 400 is what a server that
            // wants https says to http.
            const bool elsewhere = endpoints_.front().mirror || response.status == 400;
            if (response.status < 400 || !elsewhere || endpoints_.size() == 1)
                return response;
        } catch (const Error& error) {
            if (error.code() != std::errc::host_unreachable)
                throw;
            unreachable +=
                (unreachable.empty() ? "" : "; ") + endpoints_.front().base + ": " + error.what();
            if (endpoints_.size() == 1)
                break;
        }
        endpoints_.erase(endpoints_.begin());
        authorization_.clear();
    }
    throw Error(std::make_error_code(std::errc::host_unreachable),
                "registry " + domain_ + " cannot be reached (" + unreachable +
                    "): check the network, or name a mirror in registries.json");
}

HttpResponse Connection::ask_patiently(const Ask& ask) {
    for (int attempt = 0;; ++attempt) {
        HttpResponse response;
        const bool last = attempt + 1 == most_tries;
        try {
            response = this->ask(ask);
            if (last || !worth_another_try(response.status))
                return response;
        } catch (const Error& error) {
            if (last || error.code() != std::errc::connection_reset)
                throw;
        }
        sys::pause(pause_before(attempt, response));
    }
}

}  // namespace stack::fetch
