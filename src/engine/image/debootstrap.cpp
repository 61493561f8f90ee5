#include "engine/image/debootstrap.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace stack::image {
namespace {

bool consists_of(std::string_view text, std::string_view others) {
    const auto fits = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               others.find(c) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), fits) &&
           others.find(text.front()) == std::string_view::npos;
}

/// Debian Policy 5.6.1.
bool is_package(std::string_view text) {
    return consists_of(text, "+-.");
}

Expected<Debootstrap> with_option(Debootstrap made, const std::string& key, std::string value) {
    static const std::vector<std::string> variants{
        "essential", "apt", "required", "minbase", "buildd", "important", "standard"};
    if (key == "include") {
        made.include.push_back(std::move(value));
    } else if (key == "variant") {
        if (std::find(variants.begin(), variants.end(), value) == variants.end())
            return malformed("a variant is one of " + join(variants, ", "));
        made.variant = std::move(value);
    } else if (key == "mirror") {
        if (value.find("://") == std::string::npos || value.front() == '-')
            return malformed("a mirror is an address, as in http://deb.debian.org/debian");
        made.mirror = std::move(value);
    } else {
        return malformed("expected include=PACKAGE, variant=NAME or mirror=URL");
    }
    return made;
}

}  // namespace

Expected<Debootstrap> parse_debootstrap(std::string_view text) {
    Debootstrap made;
    std::size_t offset = 0;
    std::string key;
    for (const auto& part : split(text, ',')) {
        if (offset == 0) {
            if (!consists_of(part, "-."))
                return malformed("a suite of Debian is expected, as in debootstrap:bookworm");
            made.suite = part;
        } else {
            auto [name, value] = split_once(part, '=');
            const bool goes_on = part.find('=') == std::string::npos && key == "include";
            key = goes_on ? key : name;
            value = goes_on ? part : value;
            if (key == "include" && !is_package(value))
                return malformed("\"" + value + "\" is not the name of a package", offset);
            auto next = with_option(std::move(made), key, std::move(value));
            if (!next)
                return malformed(next.error().message, offset);
            made = *std::move(next);
        }
        offset += part.size() + 1;
    }
    return made;
}

}  // namespace stack::image
