#include "fetch/auth.h"

#include "base/ip.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

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
        ++at_;
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

std::string host_of(std::string key) {
    if (const auto scheme = key.find("://"); scheme != std::string::npos)
        key.erase(0, scheme + 3);
    key = key.substr(0, key.find('/'));
    if (key == "index.docker.io" || key == "registry-1.docker.io")
        return "docker.io";
    return key;
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8U |
                    (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text += i + k <= bytes.size() ? alphabet[group >> (18U - 6U * k) & 63U] : '=';
    }
    return text;
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

std::string token_url(const Challenge& challenge, const std::string& scope) {
    const auto realm = challenge.parameters.find("realm");
    if (realm == challenge.parameters.end())
        return {};
    std::string url = realm->second + (realm->second.find('?') == std::string::npos ? "?" : "&");
    if (const auto service = challenge.parameters.find("service");
        service != challenge.parameters.end())
        url += "service=" + url_encoded(service->second) + "&";
    return url + "scope=" + url_encoded(scope);
}

std::string origin(const std::string& url) {
    const auto host = url.find("://");
    return host == std::string::npos ? url : url.substr(0, url.find('/', host + 3));
}

bool is_loopback(const std::string& host) {
    const bool bracketed = host.starts_with('[');
    const std::string name =
        bracketed ? split_once(host.substr(1), ']').first : split_once(host, ':').first;
    if (name == "localhost")
        return true;
    const auto address = parse_ip(name);
    return address && (contains(*parse_prefix("127.0.0.0/8"), *address) ||
                       contains(*parse_prefix("::1/128"), *address));
}

bool may_carry_secrets(const std::string& url, const std::string& endpoint) {
    return url.starts_with("https://") || origin(url) == origin(endpoint);
}

std::string basic_credentials(const std::string& config_json, const std::string& registry) {
    const auto json = nlohmann::json::parse(config_json, nullptr, false);
    if (!json.is_object() || !json.contains("auths") || !json["auths"].is_object())
        return {};
    for (const auto& [key, entry] : json["auths"].items()) {
        if (host_of(key) != registry || !entry.is_object())
            continue;
        if (const std::string auth = entry.value("auth", ""); !auth.empty())
            return auth;
        if (entry.contains("username"))
            return base64(entry.value("username", "") + ":" + entry.value("password", ""));
    }
    return {};
}

}  // namespace stack::fetch
