#include "fetch/auth.h"

#include "base/ip.h"
#include "base/text.h"

#include <algorithm>

namespace stack::fetch {
namespace {

bool is_token_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// A cursor over one header.
class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::vector<Challenge> challenges() {
        std::vector<Challenge> list;
        for (;;) {
            skip(" \t,");
            std::string word = token();
            if (word.empty())
                return list;
            skip(" \t");
            if (peek() == '=' && !list.empty()) {
                ++at_;
                list.back().parameters[to_lower(word)] = value();
            } else {
                list.push_back({to_lower(word), {}});
            }
        }
    }

  private:
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip(std::string_view characters) {
        while (at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos)
            ++at_;
    }

    std::string token() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_token_char(text_[at_]))
            ++at_;
        return std::string(text_.substr(begin, at_ - begin));
    }

    std::string value() {
        skip(" \t");
        if (peek() != '"') {
            const std::size_t begin = at_;
            while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ' ')
                ++at_;
            return std::string(text_.substr(begin, at_ - begin));
        }
        std::string quoted;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size())
                ++at_;
            quoted += text_[at_];
        }
        at_ = std::min(at_ + 1, text_.size());  // where it has an end
        return quoted;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::string url_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        if (is_token_char(c) && std::string_view("!#$%&'*+^`|").find(c) == std::string_view::npos) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', digits[byte >> 4U], digits[byte & 15U]};
        }
    }
    return encoded;
}

/// The address that a host is, without port and brackets; its name where it is none.
std::string bare_host(const std::string& host) {
    return host.starts_with('[') ? split_once(host.substr(1), ']').first
                                 : split_once(host, ':').first;
}

}  // namespace

std::vector<Challenge> parse_challenges(const std::vector<std::string>& headers) {
    std::vector<Challenge> all;
    for (const auto& header : headers)
        for (auto& challenge : Parser(header).challenges())
            all.push_back(std::move(challenge));
    return all;
}

std::optional<Challenge> choose_challenge(const std::vector<Challenge>& challenges) {
    for (const auto* scheme : {"bearer", "basic"})
        for (const auto& challenge : challenges)
            if (challenge.scheme == scheme)
                return challenge;
    return std::nullopt;
}

std::string token_url(const Challenge& challenge, const std::vector<std::string>& scopes) {
    const auto realm = challenge.parameters.find("realm");
    if (realm == challenge.parameters.end())
        return {};
    std::string url = realm->second + (realm->second.find('?') == std::string::npos ? "?" : "&");
    if (const auto service = challenge.parameters.find("service");
        service != challenge.parameters.end())
        url += "service=" + url_encoded(service->second) + "&";
    for (const auto& scope : scopes)
        url += "scope=" + url_encoded(scope) + "&";
    url.pop_back();
    return url;
}

std::string token_form(const std::map<std::string, std::string>& challenge,
                       const std::vector<std::string>& scopes,
                       const std::string& identity_token) {
    const auto service = challenge.find("service");
    return "grant_type=refresh_token&client_id=stack&refresh_token=" + url_encoded(identity_token) +
           "&scope=" + url_encoded(join(scopes, " ")) +
           (service == challenge.end() ? "" : "&service=" + url_encoded(service->second));
}

std::string origin(const std::string& url) {
    const auto host = url.find("://");
    return host == std::string::npos ? url : url.substr(0, url.find('/', host + 3));
}

bool is_loopback(const std::string& host) {
    const std::string name = bare_host(host);
    if (name == "localhost")
        return true;
    const auto address = parse_ip(name);
    return address && (contains(*parse_prefix("127.0.0.0/8"), *address) ||
                       contains(*parse_prefix("::1/128"), *address));
}

bool is_link_local(const std::string& host) {
    const auto address = parse_ip(bare_host(host));
    return address && (contains(*parse_prefix("169.254.0.0/16"), *address) ||
                       contains(*parse_prefix("fe80::/10"), *address));
}

bool may_carry_secrets(const std::string& url, const std::string& endpoint) {
    const std::string there = origin(url);
    if (there.find('@') != std::string::npos)  // a name before the host hides which host it is
        return false;
    const auto host = [](const std::string& of) { return of.substr(of.find("://") + 3); };
    return there.starts_with("https://") || there == origin(endpoint) ||
           (there.starts_with("http://") && is_loopback(host(there)) &&
            is_loopback(host(origin(endpoint))));
}

}  // namespace stack::fetch
