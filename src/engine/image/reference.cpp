#include "engine/image/reference.h"

#include <stack/error.h>

#include "base/digest.h"
#include "engine/image/debootstrap.h"

#include <algorithm>
#include <utility>

namespace stack::image {
namespace {

bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// path-component: [a-z0-9]+((?:[._]|__|[-]+)[a-z0-9]+)*
bool is_component(std::string_view text) {
    if (text.empty() || !is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back()))
        return false;
    for (std::size_t i = 0; i < text.size();) {
        if (is_lower_or_digit(text[i])) {
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < text.size() && !is_lower_or_digit(text[end]))
            ++end;
        const std::string_view separator = text.substr(i, end - i);
        const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
        if (separator != "." && separator != "_" && separator != "__" && !dashes)
            return false;
        i = end;
    }
    return true;
}

bool is_tag(std::string_view text) {
    constexpr std::size_t longest = 128;
    const auto word = [](char c) {
        return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !text.empty() && text.size() <= longest && word(text.front()) &&
           std::all_of(
               text.begin(), text.end(), [&](char c) { return word(c) || c == '.' || c == '-'; });
}

/// The first part is a host where it could be no repository of Docker Hub.
bool is_domain(std::string_view first) {
    return first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
           std::any_of(first.begin(), first.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// HOST[:PORT] or [IPv6][:PORT].
bool is_registry(std::string_view text) {
    const bool is_address = text.starts_with('[');
    const auto end = is_address ? text.find(']') + 1 : std::min(text.find(':'), text.size());
    const std::string_view host = text.substr(0, end);
    const std::string_view port = text.substr(end);
    const auto consists_of = [](std::string_view word, std::string_view also) {
        return std::all_of(word.begin(), word.end(), [also](char c) {
            return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') ||
                   also.find(c) != std::string_view::npos;
        });
    };
    if (is_address ? host.size() < 3 || !consists_of(host.substr(1, host.size() - 2), ":")
                   : host.empty() || !consists_of(host, ".-") || host.front() == '.' ||
                         host.front() == '-' || host.find("..") != std::string_view::npos)
        return false;
    return port.empty() || (port.size() > 1 && port[0] == ':' &&
                            port.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

}  // namespace

Expected<Reference> parse_reference(std::string_view text) {
    Reference reference;
    if (text.starts_with(debootstrap_scheme)) {
        const auto made = parse_debootstrap(text.substr(debootstrap_scheme.size()));
        if (!made)
            return malformed(made.error().message, debootstrap_scheme.size() + made.error().offset);
        reference.domain = debootstrap_domain;
        reference.path = text.substr(debootstrap_scheme.size());
        return reference;
    }
    std::string_view rest = text;
    if (const auto at = rest.find('@'); at != std::string_view::npos) {
        reference.digest = rest.substr(at + 1);
        if (!is_digest(reference.digest))
            return malformed("the digest must be sha256: and 64 lower-case hexadecimal digits",
                             at + 1);
        rest = rest.substr(0, at);
    }
    if (const auto colon = rest.find_last_of(':');
        colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos) {
        reference.tag = rest.substr(colon + 1);
        if (!is_tag(reference.tag))
            return malformed("a tag is letters, digits, '_', '.' and '-', at most 128", colon + 1);
        rest = rest.substr(0, colon);
    }
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos && is_domain(rest.substr(0, slash))) {
        reference.domain = rest.substr(0, slash);
        if (!is_registry(reference.domain))
            return malformed("\"" + reference.domain +
                             "\" is no registry: HOST[:PORT] is expected");
        rest = rest.substr(slash + 1);
    } else {
        reference.domain = "docker.io";
    }
    if (reference.domain == "index.docker.io")
        reference.domain = "docker.io";
    reference.path = rest;
    for (std::string_view path = rest;;) {
        const auto end = path.find('/');
        if (!is_component(path.substr(0, end))) {
            const bool upper =
                std::any_of(rest.begin(), rest.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
            return malformed(upper ? "a repository name must be lower-case"
                                   : "\"" + std::string(text) + "\" is not the name of an image",
                             static_cast<std::size_t>(path.data() - text.data()));
        }
        if (end == std::string_view::npos)
            break;
        path = path.substr(end + 1);
    }
    if (reference.domain == "docker.io" && reference.path.find('/') == std::string::npos)
        reference.path = "library/" + reference.path;
    constexpr std::size_t longest_name = 255;
    if (reference.domain.size() + 1 + reference.path.size() > longest_name)
        return malformed("the name of an image has at most 255 characters");
    if (reference.tag.empty() && reference.digest.empty())
        reference.tag = "latest";
    return reference;
}

Reference require_reference(const std::string& text) {
    auto reference = parse_reference(text);
    if (!reference)
        throw Error("\"" + text + "\" is not the name of an image: " + reference.error().message);
    return std::move(*reference);
}

bool is_name(const Reference& reference) {
    const bool is_algorithm = reference.domain == "docker.io" && reference.path == "library/sha256";
    return reference.digest.empty() && !is_algorithm;
}

std::string canonical(const Reference& reference) {
    if (reference.domain == debootstrap_domain)
        return std::string(debootstrap_scheme) + reference.path;
    std::string text = reference.domain + "/" + reference.path;
    if (!reference.tag.empty() && reference.digest.empty())
        text += ":" + reference.tag;
    if (!reference.digest.empty())
        text += "@" + reference.digest;
    return text;
}

std::string familiar(const Reference& reference) {
    std::string text = canonical(reference);
    constexpr std::string_view hub = "docker.io/";
    constexpr std::string_view library = "library/";
    if (text.starts_with(hub) && !is_domain(reference.path.substr(0, reference.path.find('/')))) {
        text.erase(0, hub.size());
        if (text.starts_with(library) && text.find('/', library.size()) == std::string::npos)
            text.erase(0, library.size());
    }
    const bool means_another =
        text.starts_with(debootstrap_scheme) && reference.domain != debootstrap_domain;
    return means_another ? canonical(reference) : text;
}

}  // namespace stack::image
